import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeField } from '../../src/formats/field.js'
import { writeItkAffine } from '../../src/formats/itk.js'
import { readNifti, writeNifti } from '../../src/formats/nifti.js'
import type { Affine, Vec3 } from '../../src/volume/affine.js'
import type { VoxelArray } from '../../src/volume/volume.js'
import { lesionwise } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'transform-'))
const at = (name: string) => join(folder, name)
const affine: Affine = [1, 0, 0, -10, 0, 1, 0, -10, 0, 0, 1, -10, 0, 0, 0, 1]
const dims: Vec3 = [20, 20, 20]
const index = (i: number, j: number, k: number) => i + 20 * (j + 20 * k)
const shift = (x: number, y: number, z: number): Affine => [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, z, 0, 0, 0, 1]

async function save(name: string, data: VoxelArray): Promise<string> {
  writeFileSync(at(name), await writeNifti({ dims, affine, data }))
  return at(name)
}
const labels = new Int16Array(8000)
labels[index(12, 10, 7)] = 300
labels[index(5, 5, 5)] = 7

test('points go through the transforms in the order given; labels stay whole numbers', async () => {
  const image = await save('labels.nii.gz', labels)
  writeFileSync(at('x.txt'), writeItkAffine(shift(2, 0, 0)))
  // A field that moves every point by 3 mm along −z, and no further where it ends.
  const field = { dims, affine, data: Float32Array.from({ length: 24000 }, (_, i) => (i < 16000 ? 0 : -3)) }
  writeFileSync(at('z.nii.gz'), await writeField(field))
  const turn: Affine = [0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
  writeFileSync(at('turn.txt'), writeItkAffine(turn))
  const run = async (...chain: string[]) => {
    const { code, stderr } = await lesionwise([
      ...['transform', '--image', image, '--like', image, '--out', at('out.nii.gz'), '--interpolation', 'nearest'],
      ...chain.flatMap((one) => ['--transform', one]),
    ])
    assert.equal(code, 0, stderr)
    return (await readNifti(readFileSync(at('out.nii.gz')), 'out')).image.data
  }
  // (10, 10, 10) → x + 2 → z − 3.
  assert.equal((await run(at('x.txt'), at('z.nii.gz')))[index(10, 10, 10)], 300)
  assert.equal((await run(`inverse:${at('x.txt')}`))[index(14, 10, 7)], 300)
  // World (2, 0, −3) is where the label lies: the turn takes (0, −2) in the plane there; after a shift first, (−2, −2).
  assert.equal((await run(at('turn.txt')))[index(10, 8, 7)], 300)
  assert.equal((await run(at('x.txt'), at('turn.txt')))[index(8, 8, 7)], 300)
  assert.equal((await run(at('turn.txt'), at('x.txt')))[index(10, 10, 7)], 300)
})

test('mistakes are said in one line, and nothing is written or lost', async () => {
  const image = await save('image.nii.gz', labels)
  const fails = async (code: number, pattern: RegExp, ...args: string[]) => {
    const ran = await lesionwise(['transform', '--image', image, '--like', image, ...args])
    assert.equal(ran.code, code, ran.stderr)
    assert.match(ran.stderr, pattern)
    assert.equal(ran.stderr.trim().split('\n').length, 1)
  }
  const before = readFileSync(image)
  await fails(2, /is an input/, '--out', image)
  assert.deepEqual(readFileSync(image), before)
  const out = ['--out', at('none.nii.gz')]
  await fails(3, /there is no such file/, '--transform', at('missing.txt'), ...out)
  await fails(3, /is a folder, not a transform/, '--transform', folder, ...out)
  writeFileSync(at('words.txt'), 'not a transform\n')
  await fails(3, /words\.txt/, '--transform', at('words.txt'), ...out)
  await fails(3, /holds 1 component/, '--transform', image, ...out)
  await fails(2, /is not inverted here/, '--transform', `inverse:${image}`, ...out)
  await fails(1, /give another --out/, '--out', at('words.txt/out.nii.gz'))
  assert.equal(existsSync(at('none.nii.gz')), false)
})
