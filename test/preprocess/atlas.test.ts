import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { atlasOnGrid, loadAtlas } from '../../src/preprocess/atlas.js'
import { apply, identity, invert, type Vec3 } from '../../src/volume/affine.js'
import { countVoxels, type Image, type Mask, sameGrid, volumeMl } from '../../src/volume/volume.js'

const folder = fileURLToPath(new URL('../../assets/atlas/', import.meta.url))
const atlas = await loadAtlas()
const at = (map: Image | Mask, place: Vec3) => {
  const [i, j, k] = apply(invert(map.affine), place).map(Math.round)
  return map.data[i + map.dims[0] * (j + map.dims[1] * k)]
}
const labelled = (label: number): Mask => ({
  ...atlas.ventricles,
  data: atlas.ventricles.data.map((v) => (v === label ? 1 : 0)),
})

test('the files are those that their checksums were made for, and the card names each', () => {
  const { maps } = JSON.parse(readFileSync(`${folder}atlas.json`, 'utf8')) as {
    maps: Record<string, { file: string; sha256: string }>
  }
  const card = readFileSync(`${folder}README.md`, 'utf8')
  for (const [name, { file, sha256 }] of Object.entries(maps)) {
    assert.equal(
      createHash('sha256')
        .update(readFileSync(folder + file))
        .digest('hex'),
      sha256,
      name,
    )
    assert.match(card, new RegExp(`\`${name}\``))
  }
})

test('tissue probabilities sum to one in the brain and are nothing outside', () => {
  for (let i = 0; i < atlas.brain.data.length; i++) {
    const sum = atlas.csf.data[i] + atlas.gm.data[i] + atlas.wm.data[i]
    assert.ok(Math.abs(sum - atlas.brain.data[i]) < 0.03, `${sum} at ${i}`)
  }
})

test('regions lie in the brain, do not overlap, and have the size of a mean brain', () => {
  for (let i = 0; i < atlas.brain.data.length; i++) {
    const held = (atlas.ventricles.data[i] ? 1 : 0) + atlas.infratentorial.data[i] + atlas.deepGrey.data[i]
    assert.ok(held === 0 || atlas.brain.data[i] === 1)
    if (atlas.deepGrey.data[i]) assert.equal(held, 1)
    assert.ok(atlas.cortex.data[i] <= atlas.gm.data[i])
  }
  const between = (mask: Mask, low: number, high: number) =>
    assert.ok(volumeMl(mask) > low && volumeMl(mask) < high, String(volumeMl(mask)))
  between(atlas.brain, 1700, 2150)
  between(labelled(1), 15, 30)
  between(labelled(2), 1, 5)
  between(atlas.infratentorial, 150, 230)
  between(atlas.deepGrey, 25, 50)
})

test('known places are what an anatomist calls them', () => {
  for (const side of [-1, 1]) {
    assert.equal(at(atlas.ventricles, [8 * side, 10, 16]), 1, 'lateral ventricle')
    assert.equal(at(atlas.infratentorial, [25 * side, -60, -40]), 1, 'cerebellum')
    assert.equal(at(atlas.infratentorial, [50 * side, -20, -20]), 0, 'temporal lobe')
    assert.equal(at(atlas.deepGrey, [12 * side, -18, 8]), 1, 'thalamus')
    assert.ok(at(atlas.wm, [26 * side, -20, 32]) > 0.9, 'centrum semiovale')
    assert.ok(
      at(atlas.lesionPrior, [26 * side, -40, 22]) > 3 * at(atlas.lesionPrior, [50 * side, 20, 30]),
      'lesions lie beside the ventricles',
    )
  }
  assert.equal(at(atlas.infratentorial, [0, -28, -35]), 1, 'pons')
  assert.equal(at(atlas.infratentorial, [0, -15, 8]), 0, 'third ventricle')
})

test('the brain of the head template and the maps share one space; on its own grid a map is itself', async () => {
  assert.ok(sameGrid(atlas.t1, atlas.t1Brain))
  assert.ok(Math.abs(volumeMl(atlas.t1Brain) / volumeMl(atlas.brain) - 1) < 0.02)
  const maps = await atlasOnGrid(atlas, atlas.brain, identity)
  assert.deepEqual(maps.wm.data, atlas.wm.data)
  assert.equal(countVoxels(maps.ventricles), countVoxels(atlas.ventricles))
})
