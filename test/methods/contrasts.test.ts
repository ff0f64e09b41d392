import assert from 'node:assert/strict'
import { test } from 'node:test'
import { channelsFor } from '../../src/methods/contrasts.js'
import { emptyImage } from '../../src/volume/volume.js'

const image = () => emptyImage({ dims: [1, 1, 1], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] })
const [flair, t1, t2] = [image(), image(), image()]

const said = (images: Parameters<typeof channelsFor>[0], roles: Parameters<typeof channelsFor>[1]) => {
  const { channels, flags } = channelsFor(images, roles)
  return [channels.map(({ role, modality }) => `${role}=${modality}`), flags.map(({ code }) => code)]
}

test('what is there takes its own part', () => {
  assert.deepEqual(said({ flair, t1, t2 }, ['t1', 't2', 'flair']), [['t1=t1', 't2=t2', 'flair=flair'], []])
})

test('FLAIR stands in for one bright contrast that is missing, and says so', () => {
  assert.deepEqual(said({ flair, t1 }, ['t1', 't2', 'pd']), [
    ['t1=t1', 't2=flair'],
    ['flair-for-t2', 'without-pd'],
  ])
  assert.deepEqual(said({ flair, t1, t2 }, ['t1', 't2', 'pd']), [['t1=t1', 't2=t2', 'pd=flair'], ['flair-for-pd']])
})

test('a method that takes FLAIR itself is not given it twice', () => {
  assert.deepEqual(said({ flair }, ['t1', 't2', 'flair']), [['flair=flair'], ['without-t1', 'without-t2']])
})
