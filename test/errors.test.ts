import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../src/errors.js'

test('a name that a damaged file holds does not break the line of the message', () => {
  const { message } = new InputError('a.mat', 'holds a transform of type Aff\n\u001b[31mine\u2028x', 'give\tanother')
  assert.equal(message, 'a.mat: holds a transform of type Aff [31mine x; give another')
})
