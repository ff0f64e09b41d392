import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readNifti } from '../../src/formats/nifti.js'
import { setThreads } from '../../src/kernels/index.js'
import { register, registrationCheck, trustThreshold } from '../../src/preprocess/register.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import type { Affine } from '../../src/volume/affine.js'
import type { Image } from '../../src/volume/volume.js'
import { phantomGrid, phantomImage } from '../phantom.js'
import { sharedData, skipWithout } from '../shared-data.js'

// Nothing that fits: no error of the program's own, no map that is not a number, and no trust.

const t1 = phantomImage({ contrast: 't1', seed: 1, head: true })
const flair = phantomImage({ contrast: 'flair', seed: 2, head: true })
setThreads(2)

async function registered(fixed: Image, moving: Image): Promise<{ map: Affine; check: number }> {
  const { map, similarity } = await register(fixed, moving, { dof: 6 })
  assert.ok(map.every(Number.isFinite) && Number.isFinite(similarity), `${map}, ${similarity}`)
  const check = await registrationCheck(fixed, moving, map)
  assert.ok(Number.isFinite(check), `${check}`)
  return { map, check }
}

const each = (image: Image, change: (value: number, index: number) => number): Image => ({
  ...image,
  data: image.data.map(change),
})

const noise = gaussianRandom(seededRandom(9))
/** An image made by a rule of the place in mm, with noise. */
const drawn = (rule: (x: number, y: number, z: number) => number): Image =>
  each(flair, (_, i) =>
    Math.abs(rule(2 * (i % 80) - 79, 2 * (Math.floor(i / 80) % 96) - 95, 2 * Math.floor(i / 7680) - 79) + 4 * noise()),
  )

const untrusted: [string, Image, Image][] = [
  ['an empty image', t1, each(flair, () => 0)],
  ['a constant image', each(t1, () => 7), flair],
  ['noise alone', drawn(() => 0), flair],
  ['nothing but NaN', t1, each(flair, () => Number.NaN)],
  ['infinite values', each(t1, () => Number.POSITIVE_INFINITY), flair],
  ['a ball of water', drawn((x, y, z) => (Math.hypot(x, y, z) < 70 ? 100 : 0)), flair],
  [
    'a leg: a cylinder with a bone in it',
    t1,
    drawn((x, y) => (Math.hypot(x, y) < 15 ? 20 : Math.hypot(x, y) < 60 ? 110 : 0)),
  ],
  ['one slice', t1, { dims: [80, 96, 1], affine: phantomGrid.affine, data: flair.data.slice(0, 80 * 96) }],
]
for (const [name, fixed, moving] of untrusted)
  test(`${name}: not trusted`, async () => {
    const { check } = await registered(fixed, moving)
    assert.ok(check < trustThreshold, `${check}`)
  })

const visit = (subject: string, kind: string) => `ljubljana-long/${subject}/ses-2/anat/${subject}_ses-2_${kind}.nii.gz`
const load = async (name: string): Promise<Image> => (await readNifti(readFileSync(sharedData(name)!), name)).image
test('other people, real ones: not trusted', { skip: skipWithout('ljubljana-long') }, async () => {
  const { check } = await registered(await load(visit('sub-01', 'FLAIR')), await load(visit('sub-19', 'T1w')))
  assert.ok(check < trustThreshold, `${check}`)
})
