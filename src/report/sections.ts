import type { Flag } from '../errors.js'
import { type Lesion, locations } from '../lesions/types.js'
import { contentOf, type ReportContent, type Stat, type Table } from './content.js'
import { histogramFigure } from './histogram.js'
import { type Html, html } from './html.js'
import type { ReportInput } from './input.js'
import { closeUps, keyPictures, montage, probabilityPictures, registrationPictures, sceneOf } from './pictures.js'
import { en } from './words/en.js'
import type { Speech } from './words/languages.js'

/** A part of the report. What it holds is decided here, how it looks in style.ts, where it stands by its place in the list. */
export interface Section {
  id: string
  title: string
  /** A sentence or two on how to read it. */
  lead?: string
  body: Html
}

/** The report's sections, in their order. */
export async function sectionsOf(input: ReportInput, content: ReportContent = contentOf(input)): Promise<Section[]> {
  const scene = sceneOf(input)
  const { speech, criteria, earlier } = content
  const { words } = speech
  const { lesions, brain, t1, probability } = input
  const some = lesions.length > 0
  return present(
    { id: 'result', title: words.result.title, body: result(input, content) },
    earlier && {
      id: 'earlier',
      title: words.earlier.title,
      lead: words.earlier.lead,
      body: html`<div class="plot">${table(earlier.table)}</div>${earlier.notes.map((note) => html`<p class="fine">${note}</p>`)}`,
    },
    {
      id: 'criteria',
      title: words.criteria.title,
      lead: criteria.lead,
      body: html`<p>${criteria.sentence}</p>${table(criteria.table)}`,
    },
    {
      id: 'quality',
      title: words.quality.title,
      lead: words.quality.lead,
      body: flags(content.flags, words.quality.none),
    },
    {
      id: 'slices',
      title: words.pictures.title,
      lead: scene && `${some ? words.pictures.withLesions : words.pictures.withoutLesions}. ${words.pictures.sides}`,
      body: scene ? html`${legend(input, speech)}${keyPictures(scene)}` : html`<p>${words.pictures.missing}</p>`,
    },
    scene &&
      some && {
        id: 'largest',
        title: lesions.length > 8 ? words.pictures.largest : words.pictures.all,
        lead: words.pictures.closeLead,
        body: closeUps(scene, lesions.slice(0, 8)),
      },
    scene && {
      id: 'montage',
      title: words.pictures.montage,
      lead: `${words.pictures.montageLead}${brain ? ` ${words.pictures.brainEdge}` : ''}`,
      body: montage(scene),
    },
    some && {
      id: 'lesions',
      title: words.lesions.title,
      lead: words.lesions.lead,
      body: lesionTable(lesions, speech),
    },
    brain &&
      input.flair && {
        id: 'histogram',
        title: words.intensities.title,
        lead: words.intensities.lead,
        body: await histogram(input, speech),
      },
    scene &&
      probability && {
        id: 'probability',
        title: words.probability.title,
        lead: words.probability.lead,
        body: html`<p class="legend"><span>5 %<i class="ramp"></i>100 %</span></p>${probabilityPictures(scene, probability)}`,
      },
    scene &&
      t1 && {
        id: 'registration',
        title: words.registration.title,
        lead: words.registration.lead,
        body: html`${
          input.registrationTrust !== undefined &&
          html`<p>${words.registration.check}: <strong>${speech.figure(input.registrationTrust, 2)}</strong> (${words.registration.best}).</p>`
        }${registrationPictures(scene, t1)}`,
      },
    { id: 'method', title: words.method.title, body: method(input, content) },
  )
}

const present = (...sections: (Section | false | undefined)[]): Section[] =>
  sections.filter((section) => section !== false && section !== undefined)

function result({ summary, lesions }: ReportInput, { stats, byLocation }: ReportContent): Html {
  const total = summary.lesionVolumeMl
  return html`<div class="stats">
${stats.map(stat)}
</div>
${
  lesions.length > 0 &&
  html`<div class="bar" aria-hidden="true">${locations.map(
    (location) =>
      html`<i class="fill ${location}" style="flex-grow:${Math.round(1e4 * (summary.byLocation[location].volumeMl / total))}"></i>`,
  )}</div>`
}
${table(byLocation)}`
}

const stat = ({ value, unit, note }: Stat): Html =>
  html`<div class="stat"><b>${value}</b> <span>${unit}</span> <small>${note}</small></div>
`

function table({ head, rows }: Table): Html {
  const [first, ...others] = head
  return html`<table class="by"><thead><tr><th>${first}</th>${others.map((name) => html`<th class="n">${name}</th>`)}</tr></thead><tbody>${rows.map(
    ({ cells: [name, ...figures], location, apart }) =>
      html`<tr${apart && html` class="sum"`}><td>${location && html`<i class="dot ${location}"></i>`}${name}</td>${figures.map((cell) => html`<td class="n">${cell}</td>`)}</tr>`,
  )}</tbody></table>`
}

/** Flags, the serious ones first, in English. */
export function flagList(list: readonly Flag[]): Html {
  const order = ['serious', 'warning', 'info'] as const
  const sorted = [...list].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
  return flags(
    sorted.map((flag) => ({ ...flag, label: en.quality.severities[flag.severity] })),
    en.quality.none,
  )
}

function flags(list: ReportContent['flags'], none: string): Html {
  if (list.length === 0) return html`<p class="fine">${none}</p>`
  return html`<ul class="flags">${list.map(
    ({ code, severity, message, label }) =>
      html`<li class="${severity}"><b>${label}</b><span>${message} <code>${code}</code></span></li>`,
  )}</ul>`
}

function legend({ lesions }: ReportInput, { words }: Speech): Html {
  const seen = locations.filter((location) => lesions.some((lesion) => (lesion.location ?? 'subcortical') === location))
  return html`<p class="legend">${seen.map(
    (location) => html`<span><i class="dot ${location}"></i>${words.locations[location]}</span>`,
  )}</p>`
}

function lesionTable(lesions: readonly Lesion[], { words, figure }: Speech): Html {
  const gap = (mm?: number) => (mm === undefined || !Number.isFinite(mm) ? '–' : figure(mm, 1))
  const flair = lesions.some(({ intensities }) => intensities?.flair !== undefined)
  const names = words.lesions
  return html`<div class="scroll"><table class="list" data-sortable><thead><tr><th class="n">${names.number}</th><th>${names.location}</th><th class="n">${names.volume}</th><th class="n">${names.longest}</th><th class="n">${names.centroid}</th><th class="n">${names.toVentricles}</th><th class="n">${names.toCortex}</th>${flair && html`<th class="n">${names.flair}</th>`}</tr></thead><tbody>${lesions.map(
    (lesion) =>
      html`<tr><td class="n">${lesion.id}</td><td data-v="${locations.indexOf(lesion.location ?? 'subcortical')}"><i class="dot ${lesion.location ?? 'subcortical'}"></i>${words.shortLocations[lesion.location ?? 'subcortical']}</td><td class="n" data-v="${lesion.volumeMm3}">${figure(lesion.volumeMm3, lesion.volumeMm3 < 100 ? 1 : 0)}</td>${sortable(lesion.longestAxisMm, figure(lesion.longestAxisMm, 1))}<td class="n" data-v="${lesion.centroid[2]}">${lesion.centroid.map((mm) => String(Math.round(mm)).replace('-', '−')).join(' ')}</td>${sortable(lesion.ventricleGapMm, gap(lesion.ventricleGapMm))}${sortable(lesion.cortexGapMm, gap(lesion.cortexGapMm))}${flair && sortable(lesion.intensities?.flair, figure(lesion.intensities?.flair ?? Number.NaN))}</tr>`,
  )}</tbody></table></div>${lesions.length > 60 && html`<p class="printonly">${names.printed(figure(lesions.length, 0))}</p>`}`
}

/** A cell that sorts by its value, whatever sign the language puts before decimals. */
const sortable = (value: number | undefined, text: string): Html =>
  html`<td class="n"${value !== undefined && Number.isFinite(value) && html` data-v="${value}"`}>${text}</td>`

async function histogram({ analysed, flair, brain, labels, threshold }: ReportInput, said: Speech): Promise<Html> {
  const words = said.words.intensities
  const svg = await histogramFigure(analysed ?? flair!, brain!, labels, threshold, words)
  return html`<p class="legend"><span><i class="dot brain"></i>${words.brain}</span><span><i class="dot lesion"></i>${words.lesions}</span>${
    threshold !== undefined && html`<span>${words.threshold(said.figure(threshold))}</span>`
  }</p><div class="plot">${svg}</div>`
}

function method({ stages, seconds, date }: ReportInput, content: ReportContent): Html {
  const { speech, method: used } = content
  const { figure, words } = speech
  const longest = Math.max(...stages.map((stage) => stage.seconds), 1e-9)
  return html`<h3>${used.title}</h3>
<p>${used.describe}</p>
${used.citation && html`<p class="cite">${used.citation}</p>`}
<h3>${words.method.paper}</h3>
<blockquote>${used.paper}</blockquote>
<div class="columns"><div><h3>${words.method.settings}</h3>
<table class="facts"><tbody>${used.settings.map(
    ({ name, note, value }) =>
      html`<tr><th>${name}${note && html`<small>${note}</small>`}</th><td class="n">${value}</td></tr>`,
  )}</tbody></table></div>
<div><h3>${words.method.times}</h3>
<table class="facts"><tbody>${stages.map(
    (stage) =>
      html`<tr><th>${stage.stage}<i class="time" style="width:${Math.max(1, Math.round((100 * stage.seconds) / longest))}%"></i></th><td class="n">${figure(stage.seconds, 1)} s</td></tr>`,
  )}${seconds !== undefined && html`<tr class="sum"><th>${words.method.inAll}</th><td class="n">${figure(seconds, 1)} s</td></tr>`}</tbody></table></div></div>
<h3>${words.method.references}</h3>
${used.references.map((reference) => html`<p class="cite">${reference}</p>`)}
<p class="version">${used.versions.join('. ')}${date && `, ${date}`}. ${words.method.stages(stages.length)}.</p>`
}
