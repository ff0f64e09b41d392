import { html } from '../report/html.js'
import { page } from '../report/page.js'
import { drawn } from '../report/plot.js'
import type { TrainResult } from './train-publish.js'

/** The page of a training: learning curves, scores of the scans left out, and what was trained. */
export async function trainingPage(result: TrainResult, software: { name: string; version: string }): Promise<string> {
  const { history, checks, cases, config } = result
  const smooth = smoothed(history)
  const losses = await drawn((Plot) => ({
    width: 720,
    height: 260,
    x: { label: 'step' },
    y: { label: 'loss', grid: true },
    marks: [Plot.lineY(smooth, { x: 'step', y: 'loss', z: 'fold', stroke: 'fold', strokeWidth: 1.2 })],
    color: { type: 'categorical', legend: false },
  }))
  const looks = await drawn((Plot) => ({
    width: 720,
    height: 220,
    x: { label: 'step' },
    y: { label: 'Dice of scans left out', grid: true, domain: [0, 1] },
    marks: [
      Plot.lineY(checks, { x: 'step', y: 'dice', z: 'fold', stroke: 'fold' }),
      Plot.dot(checks, { x: 'step', y: 'dice', fill: 'fold', r: 2.5 }),
    ],
    color: { type: 'categorical', legend: false },
  }))
  return page({
    title: 'Training',
    facts: [`${cases.length} scans`, `${config.steps} steps`, result.card.name],
    software,
    sections: [
      {
        id: 'curves',
        title: 'Learning curves',
        lead: 'One line a fold; the loss is smoothed over 25 steps.',
        body: html`<figure class="plot">${losses}</figure>${checks.length > 0 && html`<figure class="plot">${looks}</figure>`}`,
      },
      {
        id: 'scores',
        title: 'Scans left out',
        lead: 'Each scan by a network that has not seen its group. The thresholds were chosen on the other groups.',
        body: cases.some(({ dice }) => dice !== undefined)
          ? html`<table><thead><tr><th>scan</th><th>group</th><th>reference, ml</th><th>Dice</th><th>lesion F1</th></tr></thead><tbody>${cases.map(
              (one) =>
                html`<tr><td>${one.id}</td><td>${one.group}</td><td>${one.referenceMl.toFixed(2)}</td><td>${one.dice?.toFixed(3) ?? '–'}</td><td>${one.f1?.toFixed(3) ?? '–'}</td></tr>`,
            )}</tbody></table>`
          : html`<p>Nothing was left out: these weights have no score of their own.</p>`,
      },
      {
        id: 'settings',
        title: 'Settings',
        body: html`<table><tbody>${Object.entries(config).map(([name, value]) => html`<tr><td>${name}</td><td>${String(value)}</td></tr>`)}</tbody></table>`,
      },
    ],
  })
}

const window = 25

function smoothed(history: TrainResult['history']): TrainResult['history'] {
  const out: TrainResult['history'] = []
  for (const fold of new Set(history.map((row) => row.fold))) {
    const rows = history.filter((row) => row.fold === fold)
    rows.forEach((row, i) => {
      const near = rows.slice(Math.max(0, i - window + 1), i + 1)
      out.push({ ...row, loss: near.reduce((sum, { loss }) => sum + loss, 0) / near.length })
    })
  }
  return out
}

const bars = '▁▂▃▄▅▆▇█'

/** A fold's losses so far as a line of bars for the terminal, from its least to its largest mean over a stretch. */
export function lossLine(losses: readonly number[], width = 16): string {
  const stretch = Math.max(1, Math.ceil(losses.length / width))
  const means: number[] = []
  for (let from = 0; from < losses.length; from += stretch) {
    const part = losses.slice(from, from + stretch)
    means.push(part.reduce((sum, loss) => sum + loss, 0) / part.length)
  }
  const [low, high] = [Math.min(...means), Math.max(...means)]
  return means
    .map((mean) => bars[high > low ? Math.round(((mean - low) / (high - low)) * (bars.length - 1)) : 0])
    .join('')
}
