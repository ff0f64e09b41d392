import { readFileSync } from 'node:fs'
import { surfaceDistances } from '/tmp/h/metrics/main/src/evaluate/surface.js'
import { overlap } from '/tmp/h/metrics/main/src/evaluate/overlap.js'
import { lesionF1 } from '/tmp/h/metrics/main/src/evaluate/lesionwise.js'
import { readNiftiMask } from '/tmp/h/metrics/main/src/formats/nifti.js'
const p = (s: number) => `/tmp/h/metrics/shared/data/mslesseg/` + process.argv[s]
const [r, c] = await Promise.all([2, 3].map((i) => readNiftiMask(readFileSync(p(i)), p(i))))
console.log(r.dims)
for (let i = 0; i < 4; i++) {
  let t = performance.now(); const lap = (s: string) => { console.log(s, (performance.now() - t).toFixed(1)); t = performance.now() }
  overlap(r, c); lap('overlap'); const s = await surfaceDistances(r, c); lap('surface'); lesionF1(r, c); lap('lesions')
  if (i === 0) console.log(s)
}
process.exit(0)
