import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { dice } from '../../src/evaluate/overlap.js'
import { readNifti, readNiftiMask, writeNifti } from '../../src/formats/nifti.js'
import { methodList } from '../../src/methods/registry.js'
import { segment } from '../../src/run/segment.js'
import { simulateStudy } from '../../src/simulate/study.js'
import { compose, orientation, translation } from '../../src/volume/affine.js'
import { reorient, towardsRas } from '../../src/volume/orient.js'
import { countVoxels, type Grid, type Image, type Mask, sameGrid } from '../../src/volume/volume.js'
import { rotation } from '../generators.js'

/** One patient as three scanners would have stored it; every statistical method runs on each, from file to file. */
const ids = methodList.filter(({ strategy }) => strategy === 'statistical').map(({ id }) => id)

interface Run {
  grid: Grid
  masks: Map<string, Mask>
}
const runs = new Map<'RAS' | 'LAS' | 'oblique', Run>()
let truth: Mask

async function fromFileToFile(images: { flair: Image; t1: Image }): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'orientations-'))
  try {
    const paths = { flair: join(folder, 'flair.nii.gz'), t1: join(folder, 't1.nii.gz') }
    writeFileSync(paths.flair, await writeNifti(images.flair, { level: 1 }))
    writeFileSync(paths.t1, await writeNifti(images.t1, { level: 1 }))
    const out = join(folder, 'out')
    const { flags } = await segment({ ...paths, out, method: ids.join(',') })
    assert.ok(!flags.some(({ code }) => code === 'method-failed'), JSON.stringify(flags))
    const masks = new Map<string, Mask>()
    for (const id of ids) {
      const path = join(out, `mask_${id}.nii.gz`)
      masks.set(id, await readNiftiMask(readFileSync(path), path))
    }
    // What the file says the grid is, and not what was meant to be written.
    return { grid: (await readNifti(readFileSync(paths.flair), 'flair')).image, masks }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

before(async () => {
  const study = await simulateStudy({ seed: 5, pixelMm: 1.8, sliceMm: 5, lesionMl: 15 })
  const upright = (image: Image): Image => reorient(image, towardsRas(image.affine))
  const mirrored = (image: Image): Image => reorient(image, { from: [0, 1, 2], flip: [true, false, false] })
  // 8.6 and 11.5 degrees: what lies between the axes of the head and those of the scanner.
  const askew = compose(translation([12, -8, 20]), rotation(0, 0.15), rotation(2, -0.2))
  const turned = (image: Image): Image => ({ ...image, affine: compose(askew, image.affine) })
  const [flair, t1] = [upright(study.flair), upright(study.t1)]
  truth = reorient(study.truth, towardsRas(study.truth.affine))
  runs.set('RAS', await fromFileToFile({ flair, t1 }))
  runs.set('LAS', await fromFileToFile({ flair: mirrored(flair), t1: mirrored(t1) }))
  runs.set('oblique', await fromFileToFile({ flair: turned(flair), t1: turned(t1) }))
})

test('the three forms of the patient are stored as they are called', () => {
  assert.equal(orientation(runs.get('RAS')!.grid.affine), 'RAS')
  assert.equal(orientation(runs.get('LAS')!.grid.affine), 'LAS')
  assert.ok(!sameGrid(runs.get('oblique')!.grid, runs.get('RAS')!.grid, 1))
})

for (const id of ids)
  test(`${id}: the same lesions from RAS, LAS and oblique files, on the grid of each`, (t) => {
    const [ras, las, oblique] = (['RAS', 'LAS', 'oblique'] as const).map((name) => {
      const { grid, masks } = runs.get(name)!
      const mask = masks.get(id)!
      assert.ok(sameGrid(mask, grid, 1e-3), `${name}: the mask lies on a grid of its own`)
      return mask
    })
    const back = reorient(las, towardsRas(las.affine))
    const figures = {
      truth: dice(ras, truth),
      LAS: dice(ras, back),
      oblique: dice(ras, { ...oblique, affine: ras.affine }),
    }
    t.diagnostic(JSON.stringify(figures))
    assert.ok(countVoxels(ras) > 20 && figures.truth > 0.3, `found ${countVoxels(ras)} voxels, Dice ${figures.truth}`)
    assert.ok(figures.LAS >= 0.9, `LAS: Dice ${figures.LAS}`)
    assert.ok(figures.oblique >= 0.8, `oblique: Dice ${figures.oblique}`)
  })
