import type { Flag } from '../errors.js'
import { type Lesion, locations } from '../lesions/types.js'
import { volumeMl } from '../volume/volume.js'
import { histogramFigure } from './histogram.js'
import { type Html, html } from './html.js'
import type { ReportInput } from './input.js'
import { closeUps, keyPictures, montage, probabilityPictures, registrationPictures, sceneOf } from './pictures.js'
import { count, figure, locationNames, methodsText, plain } from './words.js'

/** A part of the report. What it holds is decided here, how it looks in style.ts, where it stands by its place in the list. */
export interface Section {
  id: string
  title: string
  /** A sentence or two on how to read it. */
  lead?: string
  body: Html
}

/** The report's sections, in their order. */
export async function sectionsOf(input: ReportInput): Promise<Section[]> {
  const scene = sceneOf(input)
  const { lesions, brain, t1, probability } = input
  const some = lesions.length > 0
  return [
    { id: 'result', title: 'Result', body: result(input) },
    {
      id: 'quality',
      title: 'Doubts and quality',
      lead: 'What was noticed about the images and the run. A flag is a reason to look, not a verdict.',
      body: flagList(input.summary.flags),
    },
    {
      id: 'slices',
      title: 'Key slices',
      lead: `${some ? 'In each plane the slice with the most lesion tissue: first as acquired, then with the edges of the lesions' : 'The middle of the brain in three planes'}. Radiological convention: the patient’s right (R) is on the left of the image.`,
      body: html`${legend(input)}${keyPictures(scene)}`,
    },
    ...(some
      ? [
          {
            id: 'largest',
            title: lesions.length > 8 ? 'The largest lesions, close up' : 'The lesions, close up',
            lead: 'Axial squares of 64 mm at one scale, through the slice that shows most of the lesion.',
            body: closeUps(scene, lesions.slice(0, 8)),
          },
        ]
      : []),
    {
      id: 'montage',
      title: 'The whole brain',
      lead: `Axial slices from top to bottom, patient’s right on the left; numbers are heights in mm.${brain ? ' The thin line is the edge of the brain mask.' : ''}`,
      body: montage(scene),
    },
    ...(some
      ? [
          {
            id: 'lesions',
            title: 'Lesions',
            lead: 'Centroids are in mm towards the right, the front and the head. Gaps run from the surface of the lesion to that of the ventricles and of the cortex. Press a heading to sort.',
            body: lesionTable(lesions),
          },
        ]
      : []),
    ...(brain
      ? [
          {
            id: 'histogram',
            title: 'Intensities',
            lead: 'FLAIR intensities of the brain and of the lesions, each scaled to its own peak.',
            body: await histogram(input),
          },
        ]
      : []),
    ...(probability
      ? [
          {
            id: 'probability',
            title: 'How sure the method was',
            lead: 'The key slices again, coloured by the probability of being lesion that the method gave each voxel.',
            body: html`<p class="legend"><span>5 %<i class="ramp"></i>100 %</span></p>${probabilityPictures(scene, probability)}`,
          },
        ]
      : []),
    ...(t1
      ? [
          {
            id: 'registration',
            title: 'Does the T1 fit the FLAIR?',
            lead: 'FLAIR and T1 (bluish) in turns. Where the two fit, ventricles and cortex run on across the borders of the squares.',
            body: html`${
              input.registrationTrust !== undefined &&
              html`<p>Registration check: <strong>${figure(input.registrationTrust, 2)}</strong> (1 is best).</p>`
            }${registrationPictures(scene, t1)}`,
          },
        ]
      : []),
    { id: 'method', title: 'How it was done', body: method(input) },
  ]
}

function result({ summary, lesions, brain }: ReportInput): Html {
  const percent = summary.lesionVolumePercentOfBrain
  const total = summary.lesionVolumeMl
  return html`<div class="stats">
${stat(String(summary.lesionCount), summary.lesionCount === 1 ? 'lesion' : 'lesions', `of at least ${summary.minimumSizeMm3} mm³, ${summary.connectivity}-connected`)}
${stat(figure(total), 'ml in all', lesions.length > 0 ? `largest ${figure(lesions[0].volumeMm3 / 1000)} ml` : 'no lesion was found')}
${percent === null ? '' : stat(`${figure(percent, 2)} %`, 'of the brain', brain ? `brain mask ${figure(volumeMl(brain), 0)} ml` : '')}
</div>
${
  lesions.length > 0 &&
  html`<div class="bar" aria-hidden="true">${locations.map(
    (location) =>
      html`<i class="fill ${location}" style="flex-grow:${Math.round(1e4 * (summary.byLocation[location].volumeMl / total))}"></i>`,
  )}</div>`
}
<table class="by"><thead><tr><th>Location</th><th class="n">Lesions</th><th class="n">Volume, ml</th><th class="n">Share</th></tr></thead><tbody>${locations.map(
    (location) => {
      const here = summary.byLocation[location]
      return html`<tr><td><i class="dot ${location}"></i>${locationNames[location]}</td><td class="n">${here.count}</td><td class="n">${figure(here.volumeMl, 2)}</td><td class="n">${total > 0 ? `${figure((100 * here.volumeMl) / total, 0)} %` : '–'}</td></tr>`
    },
  )}</tbody></table>`
}

const stat = (value: string, unit: string, note: string): Html =>
  html`<div class="stat"><b>${value}</b> <span>${unit}</span> <small>${note}</small></div>`

const severityNames = { serious: 'Serious', warning: 'Warning', info: 'Note' } as const

/** Flags, the serious ones first. */
export function flagList(flags: readonly Flag[]): Html {
  if (flags.length === 0) return html`<p class="fine">Nothing was noticed that speaks against the result.</p>`
  const order = ['serious', 'warning', 'info'] as const
  const sorted = [...flags].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
  return html`<ul class="flags">${sorted.map(
    ({ code, severity, message }) =>
      html`<li class="${severity}"><b>${severityNames[severity]}</b><span>${message} <code>${code}</code></span></li>`,
  )}</ul>`
}

function legend({ lesions }: ReportInput): Html {
  const present = locations.filter((location) =>
    lesions.some((lesion) => (lesion.location ?? 'subcortical') === location),
  )
  return html`<p class="legend">${present.map(
    (location) => html`<span><i class="dot ${location}"></i>${locationNames[location]}</span>`,
  )}</p>`
}

function lesionTable(lesions: readonly Lesion[]): Html {
  const gap = (mm?: number) => (mm === undefined || !Number.isFinite(mm) ? '–' : figure(mm, 1))
  const flair = lesions.some(({ intensities }) => intensities?.flair !== undefined)
  return html`<div class="scroll"><table class="list" data-sortable><thead><tr><th class="n">No.</th><th>Location</th><th class="n">Volume, mm³</th><th class="n">Longest axis, mm</th><th class="n">Centroid, mm</th><th class="n">To ventricles, mm</th><th class="n">To cortex, mm</th>${flair && html`<th class="n">FLAIR mean</th>`}</tr></thead><tbody>${lesions.map(
    (lesion) =>
      html`<tr><td class="n">${lesion.id}</td><td data-v="${locations.indexOf(lesion.location ?? 'subcortical')}"><i class="dot ${lesion.location ?? 'subcortical'}"></i>${locationNames[lesion.location ?? 'subcortical'].split(/[ ,]/)[0]}</td><td class="n" data-v="${lesion.volumeMm3}">${figure(lesion.volumeMm3, lesion.volumeMm3 < 100 ? 1 : 0)}</td><td class="n">${figure(lesion.longestAxisMm, 1)}</td><td class="n" data-v="${lesion.centroid[2]}">${lesion.centroid.map((mm) => String(Math.round(mm)).replace('-', '−')).join(' ')}</td><td class="n">${gap(lesion.ventricleGapMm)}</td><td class="n">${gap(lesion.cortexGapMm)}</td>${flair && html`<td class="n">${figure(lesion.intensities?.flair ?? Number.NaN)}</td>`}</tr>`,
  )}</tbody></table></div>${lesions.length > 60 && html`<p class="printonly">The 60 largest of ${lesions.length} lesions are printed; lesions.tsv has them all.</p>`}`
}

async function histogram({ analysed, flair, brain, labels, threshold }: ReportInput): Promise<Html> {
  const svg = await histogramFigure(analysed ?? flair, brain!, labels, threshold)
  return html`<p class="legend"><span><i class="dot brain"></i>Brain without lesions</span><span><i class="dot lesion"></i>Lesions</span>${
    threshold !== undefined && html`<span>Threshold ${figure(threshold)}</span>`
  }</p><div class="plot">${svg}</div>`
}

function method(input: ReportInput): Html {
  const {
    method: used,
    params = {},
    paramNotes = {},
    settings = {},
    stages,
    software,
    seconds,
    date,
    maskGiven,
  } = input
  const longest = Math.max(...stages.map((stage) => stage.seconds), 1e-9)
  return html`<h3>${maskGiven ? 'Lesion mask given by the user' : `${used.title} (${used.id})`}</h3>
<p>${used.describe}</p>
${used.citation && html`<p class="cite">${used.citation.text}${used.citation.doi && html` doi:${used.citation.doi}`}</p>`}
<h3>For the Methods section</h3>
<blockquote>${methodsText(input)}</blockquote>
<div class="columns"><div><h3>Parameters and settings</h3>
<table class="facts"><tbody>${[...Object.entries(params), ...Object.entries(settings)].map(
    ([name, value]) =>
      html`<tr><th>${name}${paramNotes[name] && html`<small>${paramNotes[name]}</small>`}</th><td class="n">${plain(value)}</td></tr>`,
  )}</tbody></table></div>
<div><h3>Where the time went</h3>
<table class="facts"><tbody>${stages.map(
    (stage) =>
      html`<tr><th>${stage.stage}<i class="time" style="width:${Math.max(1, Math.round((100 * stage.seconds) / longest))}%"></i></th><td class="n">${figure(stage.seconds, 1)} s</td></tr>`,
  )}${seconds !== undefined && html`<tr class="sum"><th>In all</th><td class="n">${figure(seconds, 1)} s</td></tr>`}</tbody></table></div></div>
<p class="version">${software.name} ${software.version}${software.runtime && `, ${software.runtime}`}${date && `, ${date}`}. ${count(stages.length, 'stage')}.</p>`
}
