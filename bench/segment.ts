// Time and peak memory of `lesionwise segment` on a 1 mm pair and on clinical pairs of ../shared/data, two threads, stage
// by stage, each run in a process of its own; with the network also on 256³ voxels, to which the 1 mm pair is resampled.
//
//   npm run bench:segment [-- --readme]
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readNifti, writeNifti } from '../src/formats/nifti.js'
import { compose, scaling } from '../src/volume/affine.js'
import { resample } from '../src/volume/resample.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const data = fileURLToPath(new URL('../../shared/data/', import.meta.url))
const scans = [
  { name: '1 mm, stripped (182×218×182)', stem: 'ljubljana/sub-19/anat/sub-19_space-MNI152' },
  { name: 'clinical 2-D, whole head (320×320×36)', stem: 'ljubljana-long/sub-01/ses-1/anat/sub-01_ses-1' },
  { name: 'clinical 2-D, whole head (320×320×48)', stem: 'ljubljana-long/sub-19/ses-2/anat/sub-19_ses-2' },
  { name: 'clinical 2-D, thick slices (256×256×20)', stem: 'tabriz/sub-01/anat/sub-01' },
].filter(({ stem }) => existsSync(`${data}${stem}_FLAIR.nii.gz`))
const runs: { name: string; flair: string; t1: string; method?: string }[] = scans.map(({ name, stem }) => ({
  name,
  flair: `${data}${stem}_FLAIR.nii.gz`,
  t1: `${data}${stem}_T1w.nii.gz`,
}))
if (scans.length === 0) {
  console.log('No scans here (../shared/data): nothing measured.')
  process.exit(0)
}
interface Stage {
  stage: string
  seconds: number
  peakMegabytes: number
}
const rows: string[] = []
const out = mkdtempSync(join(tmpdir(), 'lesionwise-bench-'))
const large = { flair: join(out, 'large-flair.nii.gz'), t1: join(out, 'large-t1.nii.gz') }
for (const contrast of ['flair', 't1'] as const) {
  const { image } = await readNifti(readFileSync(runs[0][contrast]), runs[0][contrast])
  const dims = [256, 256, 256] as const
  const factors = image.dims.map((n, axis) => n / dims[axis])
  const affine = compose(image.affine, scaling([factors[0], factors[1], factors[2]]))
  writeFileSync(large[contrast], await writeNifti(await resample(image, { dims, affine }), { level: 1 }))
}
runs.push({ ...runs[0], name: `${runs[0].name}, unet2d`, method: 'unet2d' })
runs.push({ ...large, name: '256×256×256, unet2d', method: 'unet2d' })
for (const { name, flair, t1, method } of runs) {
  const files = ['--flair', flair, '--t1', t1, ...(method ? ['--method', method] : [])]
  const { status, stderr } = spawnSync(
    process.execPath,
    [`${root}dist/cli/main.js`, 'segment', ...files, '--out', out, '--threads', '2', '--quiet'],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stderr)
  const { seconds, peakMegabytes, stages } = JSON.parse(readFileSync(join(out, 'provenance.json'), 'utf8')) as {
    seconds: number
    peakMegabytes: number
    stages: Stage[]
  }
  console.log(`${name}: ${seconds.toFixed(1)} s, ${peakMegabytes} MB`)
  for (const one of stages)
    console.log(
      `  ${one.stage.padEnd(38)} ${one.seconds.toFixed(2).padStart(6)} s  ${((100 * one.seconds) / seconds).toFixed(0).padStart(3)} %  ${String(one.peakMegabytes).padStart(5)} MB`,
    )
  rows.push(`| ${name} | ${seconds.toFixed(1)} s | ${(peakMegabytes / 1024).toFixed(2)} GB |`)
}
rmSync(out, { recursive: true })
if (process.argv.includes('--readme')) {
  const path = `${root}README.md`
  const table = ['| scan (FLAIR + T1) | time | peak memory |', '|---|---|---|', ...rows].join('\n')
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(/(<!-- speed -->)[\s\S]*?(<!-- \/speed -->)/, `$1\n${table}\n$2`),
  )
}
