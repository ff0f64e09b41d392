import { InputError } from '../errors.js'
import { gunzip, readAsset } from '../platform/index.js'
import type { Affine, Vec3 } from '../volume/affine.js'
import { resample, resampleMask } from '../volume/resample.js'
import type { AtlasMaps } from '../volume/study.js'
import type { Grid, Image, Mask } from '../volume/volume.js'

/**
 * The atlas of the package, in MNI152 space (FSL's MNI152NLin6Asym), RAS mm; each map on its own grid. Sources, licences
 * and checks: assets/atlas/README.md.
 */
export interface Atlas {
  /** T1 template of the whole head, 1.6 mm, brightest tissue about 1. */
  t1: Image
  /** The brain on the grid of `t1`. */
  t1Brain: Mask
  /** Brain with ventricles and sulcal fluid, 1 mm; the maps below share its grid. */
  brain: Mask
  /** Probabilities, 0–1, that sum to 1 in the brain. */
  csf: Image
  gm: Image
  wm: Image
  /** 1: lateral and third ventricles, 2: fourth. */
  ventricles: Mask
  infratentorial: Mask
  deepGrey: Mask
  /** `gm` without deep grey matter and infratentorial parts. */
  cortex: Image
  /** Square root of the relative frequency of MS lesions, 0–1, 2 mm. */
  lesionPrior: Image
}

/** Reads the atlas from the package, once. */
export async function loadAtlas(): Promise<Atlas> {
  return await (loaded ??= read())
}

let loaded: Promise<Atlas> | undefined

/** The atlas's maps on a grid of a subject. @param toAtlas subject RAS mm → atlas RAS mm */
export async function atlasOnGrid(atlas: Atlas, grid: Grid, toAtlas: Affine): Promise<AtlasMaps> {
  const image = (map: Image) => resample(map, grid, { map: toAtlas })
  const mask = (map: Mask) => resampleMask(map, grid, { map: toAtlas })
  return {
    csf: await image(atlas.csf),
    gm: await image(atlas.gm),
    wm: await image(atlas.wm),
    ventricles: await mask(atlas.ventricles),
    infratentorial: await mask(atlas.infratentorial),
    deepGrey: await mask(atlas.deepGrey),
    cortex: await image(atlas.cortex),
    lesionPrior: await image(atlas.lesionPrior),
  }
}

interface Entry {
  file: string
  dims: Vec3
  affine: Affine
  scale: number
}

async function read(): Promise<Atlas> {
  const text = new TextDecoder().decode(await readAsset('assets/atlas/atlas.json'))
  const { maps } = JSON.parse(text) as { maps: Record<string, Entry> }
  const bytes = async (name: string): Promise<{ entry: Entry; values: Uint8Array }> => {
    const entry = maps[name]
    const values = await gunzip(await readAsset(`assets/atlas/${entry.file}`))
    if (values.length !== entry.dims[0] * entry.dims[1] * entry.dims[2])
      throw new InputError(
        `assets/atlas/${entry.file}`,
        'has the wrong size, so the package is damaged',
        'install it again',
      )
    return { entry, values }
  }
  const image = async (name: string): Promise<Image> => {
    const { entry, values } = await bytes(name)
    const data = new Float32Array(values.length)
    for (let i = 0; i < data.length; i++) data[i] = values[i] * entry.scale
    return { dims: entry.dims, affine: entry.affine, data }
  }
  const { entry, values: regions } = await bytes('regions')
  const region = (shift: number, bits: number): Mask => {
    const data = new Uint8Array(regions.length)
    for (let i = 0; i < data.length; i++) data[i] = (regions[i] >> shift) & bits
    return { dims: entry.dims, affine: entry.affine, data }
  }
  const brain = region(0, 1)
  const infratentorial = region(3, 1)
  const deepGrey = region(4, 1)
  const gm = await image('gm')
  const cortex: Image = { ...gm, data: gm.data.slice() }
  for (let i = 0; i < regions.length; i++)
    if (deepGrey.data[i] !== 0 || infratentorial.data[i] !== 0) cortex.data[i] = 0
  const t1 = await image('t1')
  return {
    t1,
    t1Brain: await resampleMask(brain, t1, { method: 'linear' }),
    brain,
    csf: await image('csf'),
    gm,
    wm: await image('wm'),
    ventricles: region(1, 3),
    infratentorial,
    deepGrey,
    cortex,
    lesionPrior: await image('lesions'),
  }
}
