import { z } from 'zod'
import { classFigures } from '../../learn/class-figures.js'
import { type Lattice, latticeOf, onLattice } from '../../learn/lattice.js'
import { relabelKeepingTopology, type SpatialFuzzy, spatialFuzzy } from '../../learn/topology-fuzzy.js'
import { keepLargerThan, largestComponent } from '../../volume/components.js'
import { distanceTo } from '../../volume/distance.js'
import { gaussian } from '../../volume/filter.js'
import { close } from '../../volume/morphology.js'
import type { AtlasMaps, LesionMap, TissueMaps } from '../../volume/study.js'
import { emptyImage, emptyMask, type Image, type Mask, maskWhere } from '../../volume/volume.js'
import { defineMethod } from '../define.js'
import { smallestLesion, whiteAsked } from '../parameters.js'
import { structureLabels } from '../structures.js'

// Classes of the clustering; the lesion is a guest of white matter.
const [sulci, ventricles, grey, white, lesion] = [0, 1, 2, 3, 4]
/** Objects whose topology is kept, as bits of each structure: ventricles, grey and white matter together, white matter. */
const objects = [0b000, 0b001, 0b010, 0b110]

/**
 * Fuzzy c-means with a statistical and a topological atlas, in which lesions are a second intensity of white matter.
 *
 * Source: Shiee et al. 2008, Lesion-TOADS, after the topology-preserving segmentation of Bazin and Pham 2007; the lesion
 * class as in Shiee et al. 2010. Steps: memberships of ventricles, sulcal fluid, grey and white matter from intensities,
 * neighbours and atlas, white matter with a lesion centre beside its own → borders move from the atlas's labels to the
 * memberships, over simple points alone → within white matter, what belongs more to the lesion centre.
 *
 * Departures:
 * - four structures and the lesion, not thirteen: deep grey matter is grey matter, and what is infratentorial is told
 *   from the rest by the atlas; topology is kept of ventricles, grey and white matter together, and white matter;
 * - centres start at the medians of the study's own tissue classes, and images are scaled from fluid to tissue, so that
 *   no robust maximum of the image has to be right; fluid has one centre in sulci and ventricles, or the darker of the
 *   two takes the sulci;
 * - borders start from the atlas's likeliest labels and not from skeletons, and move once, after the centres have settled:
 *   the places of both differ little under an affine registration, which is not repeated;
 * - the lesion centre stays well above grey matter (lesionAbove), as it would follow the many bright voxels of no lesion;
 * - lesions are asked of the atlas's white matter, smoothed by 3 mm, which keeps out gyri that are as bright and what is
 *   left of the scalp; membership fades within 3 mm of the ventricles, and is 0 in gaps between them (the paper has
 *   distances of this kind, without figures) and below the tentorium;
 * - the field of the scanner is corrected beforehand.
 * Known weaknesses: lesions in the cortex and below the tentorium are out of reach; faint lesions, nearer to white
 * matter than to the lesion centre, are missed where most are faint, and so are the paler parts of confluent ones (half
 * of 50 ml on one scan); rims of the ventricles, the fornix, bright tracts of the temporal lobe and strips of frontal
 * cortex are taken for lesion, so that small findings are often none (25 of 40 on a scan of thick slices).
 */
export const shiee2008 = defineMethod({
  id: 'shiee2008',
  title: 'Topology-preserving fuzzy segmentation with a lesion class (Lesion-TOADS)',
  describe:
    'Fuzzy clustering with neighbours and an atlas into fluid, grey and white matter, where lesions share the place of white matter but have an intensity of their own. Borders move from an atlas template to where the memberships are without changing the topology of ventricles, brain tissue and white matter; lesions are the voxels of white matter that belong more to the lesion intensity.',
  use: {
    for: 'Scans with T1 and FLAIR where fluid, grey and white matter are wanted along with the lesions.',
    not: 'Not for cortical or infratentorial lesions: only cerebral white matter can hold them. On thick slices most small findings are rims of the ventricles, the fornix, temporal white matter and strips of frontal cortex; paler parts of confluent lesions are left out.',
  },
  citation: {
    text: 'Shiee N, Bazin PL, Pham DL. Multiple sclerosis lesion segmentation using statistical and topological atlases. MIDAS Journal, MS Lesion Segmentation Challenge 2008.',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T1-w', 'T2-FLAIR'],
  classifier: 'topology-preserving fuzzy c-means',
  needs: { contrasts: [['flair', 't1'], ['flair']], grid: 'native', bias: 'n4' },
  params: z.object({
    smoothness: z
      .number()
      .min(0)
      .max(1)
      .default(0.03)
      .describe('cost of each neighbour of another structure (β), in squared ranges from fluid to tissue'),
    atlasWeight: z
      .number()
      .min(0)
      .max(2)
      .default(0.2)
      .describe('cost of a place where the atlas has another structure (γ), in the same units'),
    lesionAbove: z
      .number()
      .min(0.05)
      .max(2)
      .default(0.75)
      .describe('least distance of the lesion centre above grey matter on FLAIR, in ranges from fluid to grey matter'),
    ventricleMargin: z
      .number()
      .min(0)
      .max(10)
      .default(3)
      .describe('distance to the ventricles within which lesion membership fades, mm'),
    betweenVentricles: z
      .number()
      .min(0)
      .max(20)
      .default(4)
      .describe('half the width of gaps between ventricles in which nothing is lesion, mm; 0 allows it'),
    white: whiteAsked(0.6),
    rounds: z.number().int().min(1).max(100).default(20).describe('most rounds of memberships and centres'),
    smallest: smallestLesion(10),
  }),
  async segment({ images, brain, tissue, atlas }, params, context): Promise<LesionMap> {
    context.signal.throwIfAborted()
    context.progress('Fuzzy classes', 0)
    const scaled = scaledChannels(images, tissue, brain)
    if (!scaled) return nothing(brain)
    const lattice = latticeOf(brain)
    const { maps, template } = await templateOf(atlas, brain)
    context.signal.throwIfAborted()
    const fuzzy = spatialFuzzy(
      lattice,
      scaled.map(({ image }) => onLattice(lattice, image)),
      [0, 1, 2, 3, 4].map((k) => ({
        centre: scaled.map(({ start }) => start[k]),
        ...(k === lesion ? { host: white } : {}),
      })),
      maps.map((map) => onLattice(lattice, map)),
      {
        ...params,
        constrain: (centres) => bounded(centres, params.lesionAbove),
        signal: context.signal,
        onRound: (round) => context.progress('Fuzzy classes', (0.6 * round) / params.rounds),
      },
    )

    context.progress('Moving borders', 0.6)
    const labels = relabelKeepingTopology(template, lattice, placeMemberships(fuzzy, lattice), {
      topology: '18,6',
      objects,
      signal: context.signal,
    })
    context.signal.throwIfAborted()

    context.show?.('Template', template)
    context.show?.('Structures, lesions being white matter', labels)
    context.progress('Lesions', 0.9)
    const chance = await lesionChance(fuzzy, lattice, labels, brain, params)
    const host = await gaussian(atlas.wm, 3)
    for (let i = 0; i < chance.data.length; i++)
      if (atlas.infratentorial.data[i] !== 0 || host.data[i] < params.white) chance.data[i] = 0
    const mask = keepLargerThan(
      maskWhere(chance, (p) => p > 0.5),
      params.smallest,
      18,
    )
    const figures: Record<string, number> = {}
    scaled.forEach(({ name, toImage }, c) => {
      for (const [key, k] of Object.entries({ fluid: sulci, grey, white, lesion }))
        figures[`${name}-${key}`] = toImage(fuzzy.centres[k][c])
    })
    return {
      mask,
      probability: chance,
      maps: { structures: structuresOf(labels, mask, brain, atlas) },
      figures,
      flags: [],
    }
  },
})

interface ScaledChannel {
  name: string
  /** 0 at fluid, 1 at the brighter of grey and white matter. */
  image: Image
  /** First centre of each class, on that scale. */
  start: number[]
  toImage: (value: number) => number
}

/** The images on a scale from fluid to tissue; undefined where FLAIR does not tell the two apart. */
function scaledChannels(
  images: { flair: Image; t1?: Image },
  tissue: TissueMaps,
  brain: Mask,
): ScaledChannel[] | undefined {
  const channels: ScaledChannel[] = []
  for (const name of ['flair', 't1'] as const) {
    const image = images[name]
    if (!image) continue
    const { csf, gm, wm } = classFigures(image, tissue, brain)
    const top = name === 'flair' ? gm.mean : wm.mean
    const range = top - csf.mean
    if (!(range > 0) || !Number.isFinite(gm.mean + wm.mean)) {
      if (name === 'flair') return undefined
      continue
    }
    const of = (value: number) => (value - csf.mean) / range
    const bright = emptyImage(image)
    for (let i = 0; i < bright.data.length; i++) if (brain.data[i] !== 0) bright.data[i] = of(image.data[i])
    // The released atlas starts lesions half as bright again as grey matter on FLAIR, and no brighter than it on T1.
    const start = [0, 0, of(gm.mean), of(wm.mean), name === 'flair' ? 1.6 : of(gm.mean)]
    channels.push({ name, image: bright, start, toImage: (value) => csf.mean + value * range })
  }
  return channels
}

/**
 * Keeps the lesion centre well above grey and white matter on FLAIR, and below white matter on T1. Fluid has one centre
 * wherever it is: only its place tells sulci from ventricles.
 */
function bounded(centres: number[][], above: number): void {
  const least = Math.max(centres[grey][0], centres[white][0]) + above
  centres[lesion][0] = Math.max(least, centres[lesion][0])
  if (centres[lesion].length > 1) centres[lesion][1] = Math.min(centres[white][1], centres[lesion][1])
  centres[sulci].forEach((value, c) => {
    centres[sulci][c] = centres[ventricles][c] = (value + centres[ventricles][c]) / 2
  })
}

/** Atlas probabilities of the four structures, and the labels that they make likeliest: the topology to keep. */
export async function templateOf(atlas: AtlasMaps, brain: Mask): Promise<{ maps: Image[]; template: Mask }> {
  // 2 mm: the atlas lies on the subject by an affine alone, and its ventricles are those of the young.
  const inside = await gaussian(
    maskWhere(atlas.ventricles, (v) => v !== 0),
    2,
  )
  const near = await gaussian(inside, 5)
  const maps = [0, 1, 2, 3].map(() => emptyImage(brain))
  for (let i = 0; i < inside.data.length; i++) {
    if (brain.data[i] === 0) continue
    const share = Math.min(1, inside.data[i])
    const known = Math.min(1, atlas.csf.data[i] + atlas.gm.data[i] + atlas.wm.data[i])
    const fluid = atlas.csf.data[i] + 1 - known
    maps[ventricles].data[i] = fluid * share
    // Sulci run all through the grey matter; far from the ventricles what is fluid there is theirs.
    maps[sulci].data[i] = Math.max(fluid * (1 - share), near.data[i] < 0.02 ? 0.3 * (known - atlas.csf.data[i]) : 0)
    maps[grey].data[i] = atlas.gm.data[i]
    maps[white].data[i] = atlas.wm.data[i]
  }
  const best = maskWhere(brain, () => false)
  for (let i = 0; i < best.data.length; i++)
    if (brain.data[i] !== 0)
      for (let k = 1; k < 4; k++) if (maps[k].data[i] > maps[best.data[i]].data[i]) best.data[i] = k
  return { maps, template: oneOfEach(best, brain) }
}

/** White matter and brain tissue in one piece each: crumbs of the atlas's borders are no topology to keep. */
function oneOfEach(labels: Mask, brain: Mask): Mask {
  const main = largestComponent(
    maskWhere(labels, (v) => v === white),
    18,
  )
  const tissue = largestComponent(
    maskWhere(labels, (v, i) => v === grey || main.data[i] !== 0 || (v === white && main.data[i] === 0)),
    18,
  )
  const out = emptyMask(labels)
  for (let i = 0; i < out.data.length; i++) {
    const own = labels.data[i]
    if (brain.data[i] === 0) continue
    if (own === white) out.data[i] = main.data[i] !== 0 ? white : tissue.data[i] !== 0 ? grey : sulci
    else if (own === grey) out.data[i] = tissue.data[i] !== 0 ? grey : sulci
    else out.data[i] = own
  }
  return out
}

/** Memberships of the four structures, the lesions' being white matter's. */
function placeMemberships({ membership }: SpatialFuzzy, { voxels }: Lattice): Float32Array {
  const out = new Float32Array(4 * voxels.length)
  for (let v = 0; v < voxels.length; v++) {
    for (let k = 0; k < 4; k++) out[4 * v + k] = membership[5 * v + k]
    out[4 * v + white] += membership[5 * v + lesion]
  }
  return out
}

/** Share of the lesion in the membership of white matter, faded at the ventricles; 0 outside white matter. */
async function lesionChance(
  { membership }: SpatialFuzzy,
  { voxels }: Lattice,
  labels: Mask,
  brain: Mask,
  params: { ventricleMargin: number; betweenVentricles: number },
): Promise<Image> {
  const inVentricle = maskWhere(labels, (v, i) => v === ventricles && brain.data[i] !== 0)
  const away = await distanceTo(inVentricle)
  const between = params.betweenVentricles > 0 ? await close(inVentricle, params.betweenVentricles) : inVentricle
  const out = emptyImage(labels)
  voxels.forEach((at, v) => {
    if (labels.data[at] !== white || between.data[at] !== 0) return
    const [own, host] = [membership[5 * v + lesion], membership[5 * v + white]]
    const fade = params.ventricleMargin > 0 ? Math.min(1, away.data[at] / params.ventricleMargin) : 1
    out.data[at] = own + host > 0 ? (fade * own) / (own + host) : 0
  })
  return out
}

function structuresOf(labels: Mask, mask: Mask, brain: Mask, { infratentorial }: AtlasMaps): Mask {
  const label = [structureLabels.csf, structureLabels.ventricles, structureLabels.gm, structureLabels.wm]
  const out = emptyMask(labels)
  for (let i = 0; i < out.data.length; i++) {
    if (brain.data[i] === 0) continue
    const tissue = labels.data[i] === grey || labels.data[i] === white
    if (mask.data[i] !== 0) out.data[i] = structureLabels.lesion
    else out.data[i] = tissue && infratentorial.data[i] !== 0 ? structureLabels.infratentorial : label[labels.data[i]]
  }
  return out
}

const nothing = (brain: Mask): LesionMap => ({
  mask: emptyMask(brain),
  probability: emptyImage(brain),
  maps: { structures: emptyMask(brain) },
  flags: [
    {
      code: 'no-tissue-contrast',
      severity: 'serious',
      message: 'FLAIR does not show fluid darker than grey matter; no lesion was looked for.',
    },
  ],
})
