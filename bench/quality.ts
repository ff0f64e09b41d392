// The figures behind the limits in src/report/quality.ts: every FLAIR, T1 and T2 of ../shared/data measured as if it
// were given as FLAIR, and ghosts of known strength put into the whole-head FLAIRs.
//
//   npm run bench:quality -- [--only TEXT]     (TEXT: part of a file's path)
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readNifti } from '../src/formats/nifti.js'
import { setThreads } from '../src/kernels/index.js'
import { type Atlas, atlasOnGrid, loadAtlas } from '../src/preprocess/atlas.js'
import { n4 } from '../src/preprocess/bias.js'
import { extractBrain, isStripped } from '../src/preprocess/brain.js'
import { register } from '../src/preprocess/register.js'
import { ghostToSignal } from '../src/report/ghosting.js'
import { saturation } from '../src/report/intensities.js'
import { qualityFlags } from '../src/report/quality.js'
import { upright } from '../src/report/view.js'
import type { PreparedStudy } from '../src/volume/study.js'
import { type Image, volumeMl } from '../src/volume/volume.js'

const data = fileURLToPath(new URL('../../shared/data/', import.meta.url))
const { values: options } = parseArgs({ options: { only: { type: 'string', default: '' } } })
if (!existsSync(data)) {
  console.log('No scans here (../shared/data): nothing measured.')
  process.exit(0)
}
setThreads(2)
const atlas = await loadAtlas()

const scans = ['ljubljana', 'ljubljana-long', 'mslesseg', 'nih-pair', 'tabriz'].flatMap((set) =>
  readdirSync(data + set, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('derivatives') && /(FLAIR|T1w|T2w)\.nii\.gz$/.test(path))
    .map((path) => `${set}/${path}`),
)
console.log('scan | grey/white | fluid/white | contrast | cut cm² | ghosting | saturation | brain ml | flags')
for (const path of scans.filter((one) => one.includes(options.only)).sort()) {
  const image = upright((await readNifti(readFileSync(data + path), path)).image)
  console.log(
    [
      path.replace(/.*\/(sub[^/]*)\.nii\.gz/, (_, name) => `${path.split('/')[0]} ${name}`),
      ...(await measured(image)),
    ].join(' | '),
  )
}
process.exit(0)

async function measured(image: Image): Promise<string[]> {
  const stripped = isStripped(image)
  const { map } = await register(image, stripped ? brainOnly(atlas) : atlas.t1, { dof: 12 })
  const brain = await extractBrain({ flair: image }, atlas, map)
  const maps = await atlasOnGrid(atlas, image, map)
  const { corrected } = await n4(image, brain)
  const study = { grid: image, images: { flair: corrected }, brain, atlas: maps } as unknown as PreparedStudy
  const { flags, measures: m } = qualityFlags({ flair: image, brain, study, stripped })
  const say = (value?: number, decimals = 2) => (value === undefined ? '–' : value.toFixed(decimals))
  return [
    say(m.greyToWhite),
    say(m.fluidToWhite),
    say(m.contrast),
    `${say(m.cutCm2, 0)} ${m.cutEnd ?? ''}`,
    stripped ? '–' : [0, 0.02, 0.05, 0.1].map((part) => ghosts(image, brain, part)).join(', '),
    saturation(image, brain).toExponential(0),
    volumeMl(brain).toFixed(0),
    flags.map(({ code }) => code).join(' '),
  ]
}

/** The ghosting measure of a scan with ghosts of this strength along the first and the second axis. */
function ghosts(image: Image, brain: Parameters<typeof ghostToSignal>[1], part: number): string {
  const values =
    part === 0
      ? [ghostToSignal(image, brain)]
      : ([0, 1] as const).map((axis) => ghostToSignal(withGhost(image, part, axis), brain))
  return `${100 * part} %: ${values.map((value) => value?.toFixed(4) ?? '–').join(' ')}`
}

/** Two faint copies of every slice, 23 % of the field of view to either side, as periodic movement leaves them. */
function withGhost(image: Image, part: number, axis: 0 | 1): Image {
  const [nx, ny, nz] = image.dims
  const shift = Math.round(0.23 * image.dims[axis])
  const out = new Float32Array(image.data.length)
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++) {
        const copy = (by: number) =>
          image.data[(axis === 0 ? (i + by + nx) % nx : i) + nx * ((axis === 1 ? (j + by + ny) % ny : j) + ny * k)]
        out[i + nx * (j + ny * k)] =
          (1 - part) * image.data[i + nx * (j + ny * k)] + (part / 2) * (copy(shift) + copy(-shift))
      }
  return { ...image, data: out }
}

function brainOnly({ t1, t1Brain }: Atlas): Image {
  return { ...t1, data: t1.data.map((value, i) => (t1Brain.data[i] !== 0 ? value : 0)) }
}
