import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHTML } from 'linkedom'
import { html } from '../../src/report/html.js'
import { buildReport } from '../../src/report/page.js'
import { reorient } from '../../src/volume/orient.js'
import { emptyImage, emptyMask, type Grid } from '../../src/volume/volume.js'
import { brain, fill, flair, grid, lesionMask, reportInput } from './phantom.js'

const probability = { ...lesionMask, data: Float32Array.from(lesionMask.data, (v) => 0.8 * v) }
const page = await buildReport(reportInput({ t1: flair, registrationTrust: 0.91, probability }))
const { document } = parseHTML(page)
const text = document.body.textContent?.replace(/\s+/g, ' ') ?? ''

test('the page is one file: nothing is loaded from anywhere', () => {
  const addresses = [...page.matchAll(/(?:src|href|url\()\s*=?\s*["']?([^"')\s>]+)/g)].map(([, address]) => address)
  assert.ok(addresses.length > 20)
  const outside = addresses.filter(
    (address) => !address.startsWith('data:image/png;base64,') && !address.startsWith('#'),
  )
  assert.deepEqual(outside, [])
  assert.ok(!/@import|fetch\(|XMLHttpRequest|<iframe|<link/.test(page))
})

test('it shows the numbers, the locations, the flags, the method, and that it is for research only', () => {
  for (const words of [
    'Research only. Not for diagnosis.',
    '3 lesions',
    'Periventricular',
    'Infratentorial',
    'The slices are <thick> & few.',
    'A made-up method (made-up)',
    'Nobody 2099',
    'alpha',
    'half-widths above the peak',
    'with Lesionwise 9.9.9, method made-up (Nobody 2099), with alpha = 3',
    'Segmenting',
    'Radiological convention',
    'Registration check: 0.91',
    'How sure the method was',
  ])
    assert.ok(text.includes(words), words)
  assert.equal(document.querySelectorAll('.list tbody tr').length, 3)
  assert.equal(document.querySelectorAll('.plot svg').length, 1)
})

test('each plane is shown plain and outlined, with its letters, from one stored picture', () => {
  const figures = Array.from(document.querySelectorAll('.key .pair'))
  assert.equal(figures.length, 3)
  for (const figure of figures) {
    const [plain, outlined] = Array.from(figure.querySelectorAll('svg'))
    assert.equal(plain.querySelectorAll('path').length, 0)
    assert.ok(outlined.querySelectorAll('path.edge').length > 0)
    assert.equal(outlined.querySelector('use')?.getAttribute('href'), `#${plain.querySelector('image')?.id}`)
  }
  const letters = figures.map((figure) =>
    Array.from(figure.querySelector('svg')!.querySelectorAll('.letter'), (t) => t.textContent).join(''),
  )
  assert.deepEqual(letters, ['RLAP', 'RLSI', 'APSI'])
})

test('pictures keep the proportions of the body, in mm', () => {
  const image = document.querySelector('.key image')!
  // Brain of 130 × 160 mm with a margin of 8 mm on each side, in whole voxels of 2 mm.
  const [width, height] = ['width', 'height'].map((name) => Number(image.getAttribute(name)))
  assert.ok(Math.abs(width - 146) <= 4 && Math.abs(height - 176) <= 4, `${width} × ${height}`)
})

test('what a caller hands in is text, never markup', async () => {
  assert.equal(html`<b title="${'"x"'}">${'<script>'}</b>`.html, '<b title="&quot;x&quot;">&lt;script&gt;</b>')
  const nasty = '<img src=x onerror=alert(1)>'
  const bad = await buildReport(
    reportInput({
      method: { id: nasty, title: nasty, describe: nasty, citation: { text: nasty } },
      params: { [nasty]: nasty },
      stages: [{ stage: nasty, seconds: 1 }],
      software: { name: nasty, version: nasty },
    }),
  )
  assert.ok(!bad.includes('<img'))
})

test('without lesions, brain mask, T1 or parameters there is still a report', async () => {
  const input = reportInput()
  const none = { ...input.labels, data: new Int16Array(input.labels.data.length) }
  const summary = { ...input.summary, lesionCount: 0, lesionVolumeMl: 0, lesionVolumePercentOfBrain: null, flags: [] }
  const empty = await buildReport({
    ...input,
    lesions: [],
    labels: none,
    summary,
    brain: undefined,
    threshold: undefined,
    params: undefined,
    stages: [],
  })
  assert.match(empty, /no lesion was found/)
  assert.doesNotMatch(empty.replace(/base64,[^"]+|<script>[^<]+<\/script>/g, ''), /NaN|undefined|Infinity/)
  const blind = await buildReport({ ...input, brain: emptyMask(grid) })
  assert.match(blind, /MS lesion report/)
})

test('axes in any order give the same pictures', async () => {
  const turn = { from: [1, 2, 0], flip: [true, false, true] } as const
  const input = reportInput()
  const turned = await buildReport({
    ...input,
    flair: reorient(flair, turn),
    labels: reorient(input.labels, turn),
    brain: reorient(brain, turn),
  })
  const pictures = (source: string) => source.match(/data:image\/png;base64,[^"]+/g)
  assert.deepEqual(pictures(turned), pictures(await buildReport(input)))
})

test('a clinical scan of 512 × 512 × 40 voxels of pure noise stays below 6 MB', async () => {
  const fine: Grid = { dims: [512, 512, 40], affine: [0.45, 0, 0, -115, 0, 0.45, 0, -115, 0, 0, 4, -80, 0, 0, 0, 1] }
  const noisy = emptyImage(fine)
  let seed = 1
  for (let i = 0; i < noisy.data.length; i++) noisy.data[i] = seed = (seed * 16807) % 2147483647
  const head = fill(fine, ([x, y, z]) => (Math.hypot(x / 70, y / 85, z / 70) < 1 ? 1 : 0))
  const mask = { ...emptyMask(fine), data: Uint8Array.from(head.data) }
  const labels = { ...fine, data: Int16Array.from(noisy.data, (v, i) => (head.data[i] && v > 2.1e9 ? 1 : 0)) }
  const input = reportInput()
  const large = await buildReport({ ...input, flair: noisy, t1: noisy, brain: mask, labels })
  assert.ok(large.length < 6e6, `${large.length} bytes`)
})
