import { readNifti, readNiftiMask } from '../formats/nifti.js'
import { chosenLocations, labelAt, locationsAmong } from '../lesions/chosen-location.js'
import type { Location } from '../lesions/types.js'
import { apply, type Vec3, voxelSizes } from '../volume/affine.js'
import { emptyMask, type Mask, type Volume } from '../volume/volume.js'
import { type CaseFacts, type Mark, server } from './api.js'
import { Beside } from './beside.js'
import { CaseBars } from './case-bars.js'
import { CasePanel } from './case-panel.js'
import { changeNames } from './changes.js'
import { h, say, waitingFor } from './dom.js'
import { Drafts } from './drafts.js'
import { Drawing } from './drawing.js'
import { type Shown, type ShownLesion, shownLesions } from './lesions.js'
import { Marks } from './marks.js'
import { type Change, MaskEditor } from './mask-editor.js'
import { Versions } from './versions.js'
import { colourIndex, Viewer } from './viewer.js'

/** Maps lie over the mask: none has its red. */
const mapColours: Readonly<Record<string, string>> = { probability: 'winter', uncertainty: 'violet' }

/** One case: the picture, the tools, the lesions, and what becomes of them. */
export class CaseView {
  readonly element: HTMLElement
  readonly viewer = new Viewer()
  facts!: CaseFacts
  editor!: MaskEditor
  shown: Shown = { labels: { ...emptyVolume, data: new Int16Array(0) }, lesions: [] }
  marks = new Marks([])
  readonly drafts = new Drafts(this)
  readonly versions = new Versions(this)
  /** The version that the mask was drawn on. */
  parent = 'base'
  /** Milliseconds from the start of the page to the first picture. */
  firstPicture = Number.NaN
  /** Everything is loaded. */
  ready = false
  private readonly canvas = h('canvas', { tabindex: 0, 'aria-label': 'Scan with lesions: arrows move, Space paints' })
  readonly picture = h('div', { class: 'picture' }, h('div', {}, this.canvas, h('div', { class: 'where' })))
  readonly panel: CasePanel
  readonly drawing: Drawing
  readonly bars: CaseBars
  readonly beside: Beside
  private before: { labels: Volume; locations: Map<number, string> } | undefined
  private coloured = false
  private readonly ending = new AbortController()

  constructor(
    readonly id: string,
    others: readonly string[],
  ) {
    this.beside = new Beside(
      this,
      others.filter((one) => one !== id),
    )
    this.panel = new CasePanel(this)
    this.drawing = new Drawing(this, this.canvas, this.picture)
    this.bars = new CaseBars(this, others)
    this.element = h('div', {}, this.bars.element, h('div', { class: 'work' }, this.picture, this.panel.element))
  }

  /** Loads the case: first what makes a picture, then the lesions; further images when they are asked for. */
  async start(): Promise<void> {
    const { signal } = this.ending
    this.facts = await server.facts(this.id)
    const [background] = this.facts.images
    const newest = this.facts.versions.at(-1)
    this.parent = newest?.id ?? 'base'
    // On their way while the picture is set up, which keeps the page busy.
    const [scan, drawn] = [
      background ? server.image(this.id, background) : server.mask(this.id, 'base'),
      server.mask(this.id, this.parent),
    ]
    const attached = this.viewer.attach(this.canvas)
    const [image, mask] = await Promise.all([scan, drawn, attached])
    if (signal.aborted) return
    await this.viewer.add(background ?? 'mask', image)
    this.useMask(await readNiftiMask(new Uint8Array(mask), this.parent))
    await painted()
    this.firstPicture = performance.now()
    if (!background) say('The FLAIR of this result is not known: give it with --flair to see the scan.', 12)
    this.before = await this.regions()
    if (signal.aborted) return
    this.refreshLesions()
    this.bars.fill()
    this.panel.fill()
    this.drawing.listen(signal)
    this.versions.followAll()
    await this.drafts.offer()
    this.viewer.showHead()
    this.ready = true
  }

  /** Sees to it that an image or a map is there. */
  private need(name: string): Promise<void> {
    return this.viewer.need(name, () => server.image(this.id, name), { colormap: mapColours[name] ?? 'gray' })
  }

  /** Shows one of the images, unless another was chosen meanwhile. */
  async showImage(name: string): Promise<void> {
    const arrived = await this.arrived(name)
    if (this.bars.modality.value !== name) return
    if (arrived) this.viewer.show(name)
    else this.bars.modality.value = this.viewer.image ?? ''
  }

  /** Shows a map from a level on; `look` is asked once the map is there. */
  async showMap(name: string, look: () => { from: number; opacity: number }): Promise<void> {
    if (look().opacity === 0 && !this.viewer.has(name)) return
    if (!(await this.arrived(name))) return
    const { from, opacity } = look()
    this.viewer.showMap(name, from, opacity)
  }

  private async arrived(name: string): Promise<boolean> {
    try {
      await this.need(name)
      return true
    } catch (error) {
      say((error as Error).message)
      return false
    }
  }

  /** @returns false when unsaved work could not be kept: it stays on the screen */
  async leave(): Promise<boolean> {
    if (!(await this.waiting('Keeping your work …', () => this.drafts.putAside()))) return false
    this.drafts.end()
    this.ending.abort()
    this.beside.close()
    return true
  }

  /** Somebody looks at this case still. */
  get open(): boolean {
    return !this.ending.signal.aborted
  }

  /** Waits with nothing done to the mask meanwhile. */
  waiting<T>(text: string, work: () => Promise<T>): Promise<T> {
    return waitingFor(text, async () => {
      await this.drawing.finish()
      return await work()
    })
  }

  /** Takes a version to work on. Mask and parent change together: a save in between would call one the other's. */
  takeVersion(id: string, mask: Mask, facts: CaseFacts): void {
    this.facts = facts
    this.parent = id
    this.useMask(mask)
    this.refreshLesions()
  }

  /** Takes a mask to work on; what was undone before is forgotten. Its lesions are listed by `refreshLesions`. */
  private useMask(mask: Mask): void {
    this.editor = new MaskEditor(mask, voxelSizes(mask.affine) as Vec3)
    this.marks = new Marks(this.facts.versions.find(({ id }) => id === this.parent)?.marks ?? [])
    this.drafts.begin()
    this.viewer.setMask(this.editor.mask)
  }

  /** The result's lesions as voxels, with their locations. */
  private async regions(): Promise<{ labels: Volume; locations: Map<number, string> } | undefined> {
    const bytes = await server.instances(this.id).catch((error: Error) => say(error.message, 15))
    if (!bytes) return undefined
    const { image } = await readNifti(new Uint8Array(bytes), 'instances')
    return { labels: image, locations: new Map(this.facts.lesions.map(({ id, location }) => [Number(id), location])) }
  }

  refreshLesions(): void {
    this.shown = shownLesions(this.editor.mask, this.before)
    const chosen = chosenLocations(this.shown.labels, locationsAmong(this.marks.all))
    for (const lesion of this.shown.lesions) lesion.location = chosen.get(lesion.id) ?? lesion.location
    this.paintClasses()
    this.panel.fillLesions()
  }

  setColoured(on: boolean): void {
    this.coloured = on
    this.paintClasses()
  }

  /** Colours by what changed since the result beside, by location, or one for all. */
  paintClasses(): void {
    const changes = this.beside.changes()
    if (changes) {
      const colourOf = [0, ...changeNames.map((name) => colourIndex(`change ${name}`))]
      this.viewer.setColours(changes.classes.map((change) => colourOf[change]))
    } else if (this.coloured) {
      const colourOf = [0, ...this.shown.lesions.map(({ location }) => colourIndex(location))]
      this.viewer.setColours(Uint8Array.from(this.shown.labels.data, (id) => colourOf[id]))
    } else this.viewer.setColours(undefined)
  }

  /** Does something as one step that can be undone, and draws what changed. @param marks what is marked from then on */
  act(name: string, work: () => void, marks?: readonly Mark[]): Change | undefined {
    this.editor.begin(name)
    work()
    const change = this.editor.end(marks !== undefined)
    if (change) {
      if (marks) this.marks.set(change, marks)
      this.viewer.redrawChange(change)
      this.changed()
    }
    return change
  }

  changed(): void {
    this.marks.follow(this.editor.history.at(-1))
    this.refreshLesions()
    this.bars.fill()
    this.drafts.keepSoon()
  }

  undo(): void {
    const change = this.editor.undo()
    if (!change) {
      say('Nothing to undo.')
      return
    }
    this.viewer.redrawChange(change)
    say(`Undone: ${change.name}`)
    this.changed()
  }

  redo(): void {
    const change = this.editor.redo()
    if (!change) {
      say('Nothing to redo.')
      return
    }
    this.viewer.redrawChange(change)
    say(`Done again: ${change.name}`)
    this.changed()
  }

  deleteLesion(lesion: ShownLesion, kind?: 'false-positive'): void {
    const { id } = lesion
    const { data } = this.shown.labels
    const voxels: number[] = []
    for (let at = 0; at < data.length; at++) if (data[at] === id) voxels.push(at)
    const marks = kind && [...this.marks.all, { kind, at: this.placeOf(lesion) }]
    this.act(kind ? 'false positive' : 'delete lesion', () => this.editor.setAll(voxels, 0), marks)
    say(`${kind ? 'Marked as false positive' : 'Deleted'}: lesion ${id}. Ctrl+Z brings it back.`)
  }

  relabel(lesion: ShownLesion, location: string): void {
    const { labels } = this.shown
    const others = this.marks.all.filter(({ kind, at }) => kind !== 'location' || labelAt(labels, at) !== lesion.id)
    this.act('location', () => {}, [
      ...others,
      { kind: 'location', at: this.placeOf(lesion), location: location as Location },
    ])
  }

  /** A voxel of a lesion, RAS mm. */
  private placeOf({ voxel }: ShownLesion): Mark['at'] {
    return apply(this.editor.mask.affine, voxel) as Mark['at']
  }

  async applyThreshold(name: string, threshold: number): Promise<void> {
    const values = await this.waiting(`Loading the ${name} …`, async () =>
      (await this.arrived(name)) ? await this.viewer.valuesOf(name) : undefined,
    )
    if (!values || !this.open) return
    this.act(`threshold ${threshold}`, () => {
      this.editor.replace(values.data.map((p) => (p >= threshold ? 1 : 0)))
    })
  }

  async keepDraft(): Promise<void> {
    await this.drafts.keep()
  }

  /** How often the facts were asked for, and which answer is the newest: one that was overtaken is old. */
  private asked = 0
  private newest = 0

  /** Reads anew what the server knows of the case. */
  async reload(): Promise<void> {
    const mine = ++this.asked
    try {
      const facts = await server.facts(this.id)
      if (mine < this.newest) return
      this.newest = mine
      this.facts = facts
    } catch (error) {
      if (mine === this.asked) say((error as Error).message)
    }
    this.panel.fill()
    this.bars.fill()
  }
}

/** After the next frame is on the screen. */
const painted = (): Promise<void> =>
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))

const emptyVolume = emptyMask({ dims: [0, 0, 0], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] })
