import { readNifti, readNiftiMask, writeNifti } from '../formats/nifti.js'
import { apply, type Vec3 } from '../volume/affine.js'
import type { Mask } from '../volume/volume.js'
import { server } from './api.js'
import type { CaseView } from './case-view.js'
import { type Changes, changeNames, changesSince, differenceSince } from './changes.js'
import { h, say } from './dom.js'
import { changeColours, Viewer } from './viewer.js'

/** Seconds between the two pictures when they take turns. */
const blinkSeconds = 0.6
/** Differences shown, in interquartile ranges: from where noise ends to where the colour is full. */
const differenceShown = { from: 0.5, to: 2.5, opacity: 0.75 } as const
const differenceName = 'difference'

/**
 * Another result beside this one, to look at: the cursors stay at the same place in the world (mm), which is the same place
 * in the head where the two scans share a space. They stand side by side, or take turns in one place. What differs is shown
 * on this one, the other as the earlier visit, brought onto its grid: lesion that came and went in colours, and one FLAIR less
 * the other.
 */
export class Beside {
  readonly element = h('select', { 'aria-label': 'Beside', oninput: () => void this.choose(this.element.value) })
  private readonly blinkButton = toggle('Blink', () => this.blink())
  private readonly changeButton = toggle('Change', () => void this.change())
  private readonly differenceButton = toggle('Difference', () => void this.difference())
  readonly buttons = [this.blinkButton, this.changeButton, this.differenceButton]
  readonly legend = h('section', { hidden: true, 'aria-label': 'Change' })
  /** The other's mask on the grid of this one, once it was asked for. */
  private earlier: Promise<Mask> | undefined
  private compared: Mask | undefined
  private viewer: Viewer | undefined
  /** Those that the other has, the one shown first leading. */
  private images: readonly string[] = []
  private box: HTMLElement | undefined
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(
    private readonly view: CaseView,
    others: readonly string[],
  ) {
    this.element.append(h('option', { value: '' }, 'nothing'))
    for (const id of others) this.element.append(h('option', { value: id }, id))
    view.viewer.onLook = () => this.lookAlike()
  }

  /** Either cursor moves the other; what follows does not lead back. */
  private led = false

  /** The cursor of the case has moved. */
  follow(mm: Vec3): void {
    this.lead(() => this.viewer?.goToMm(mm))
  }

  setRadiological(on: boolean): void {
    this.viewer?.setRadiological(on)
  }

  /** The other is looked at as this one, so that the two can be compared; in the same image where it has that. */
  private lookAlike(): void {
    const { viewer, view } = this
    if (!viewer) return
    viewer.lookLike(view.viewer)
    void this.showSame(viewer, this.element.value)
  }

  private async showSame(viewer: Viewer, id: string): Promise<void> {
    const wanted = () => this.images.find((name) => name === this.view.viewer.image) ?? this.images[0]
    const name = wanted()
    if (name === undefined) return
    try {
      await viewer.need(name, () => server.image(id, name))
      if (this.viewer === viewer && name === wanted()) viewer.show(name)
    } catch (error) {
      say(`${id}: ${(error as Error).message}`)
    }
  }

  private lead(move: () => void): void {
    if (this.led) return
    this.led = true
    move()
    this.led = false
  }

  private async choose(id: string): Promise<void> {
    this.close()
    if (id === '') return
    const canvas = h('canvas', { tabindex: 0, 'aria-label': `Scan of ${id}` })
    const box = h('div', {}, canvas, h('div', { class: 'where' }, id))
    this.box = box
    this.view.picture.classList.add('two')
    this.view.picture.append(box)
    const viewer = new Viewer()
    try {
      await viewer.attach(canvas)
      const facts = await server.facts(id)
      const newest = facts.versions.at(-1)?.id ?? 'base'
      const [background] = facts.images
      const [scan, drawn] = await Promise.all([
        background ? server.image(id, background) : server.mask(id, 'base'),
        server.mask(id, newest),
      ])
      await viewer.add(background ?? 'mask', scan)
      const mask = await readNiftiMask(new Uint8Array(drawn), newest)
      viewer.setMask(mask)
      // Another one was chosen meanwhile, or none.
      if (this.box !== box) return
      viewer.showHead()
      this.viewer = viewer
      this.images = facts.images
      this.lookAlike()
      for (const button of this.buttons) button.disabled = false
      viewer.onMove = (voxel) => this.lead(() => this.view.viewer.goToMm(apply(mask.affine, voxel)))
      this.view.viewer.goTo(this.view.viewer.crosshair)
    } catch (error) {
      if (this.box !== box) return
      this.close()
      say((error as Error).message)
    }
  }

  /** The two take turns in one place, so that what differs moves. */
  private blink(): void {
    const on = press(this.blinkButton)
    this.view.picture.classList.toggle('blink', on)
    clearInterval(this.timer)
    this.timer = undefined
    if (this.box) this.box.style.visibility = ''
    if (!on) return
    this.timer = setInterval(() => {
      if (this.box) this.box.style.visibility = this.box.style.visibility === 'hidden' ? '' : 'hidden'
    }, 1000 * blinkSeconds)
  }

  /** What became of lesion since the other, as the mask stands; undefined unless it is shown. */
  changes(): Changes | undefined {
    if (!this.compared) return undefined
    const changes = changesSince(this.compared, this.view.editor.mask)
    const { ml, newLesions, vanishedLesions } = changes
    const count = { new: `${newLesions} · `, vanished: `${vanishedLesions} · ` } as Record<string, string>
    this.legend.replaceChildren(
      h('h2', {}, `Since ${this.element.value}`),
      h(
        'ul',
        { class: 'plain' },
        ...changeNames.map((name) =>
          h(
            'li',
            {},
            h('span', { class: 'swatch', style: `background:${changeColours[name]}` }),
            `${name} ${count[name] ?? ''}${ml[name].toFixed(2)} ml`,
          ),
        ),
      ),
    )
    return changes
  }

  private async change(): Promise<void> {
    const on = press(this.changeButton)
    this.compared = undefined
    this.legend.hidden = !on
    const id = this.element.value
    if (on) {
      const earlier = await this.trying(() => this.earlierMask(id), this.changeButton)
      if (this.element.value !== id) return
      if (!earlier || !isPressed(this.changeButton)) {
        this.legend.hidden = true
        return
      }
      this.compared = earlier
    }
    this.view.paintClasses()
  }

  private async difference(): Promise<void> {
    const { viewer } = this.view
    const on = press(this.differenceButton)
    if (!on) {
      viewer.remove(differenceName)
      return
    }
    const id = this.element.value
    await this.trying(async () => {
      await this.earlierMask(id)
      const [now, image] = await Promise.all([viewer.valuesOf('flair'), server.beside(this.view.id, id, 'image')])
      if (!now) throw new Error('The FLAIR of this result is not known.')
      const { image: earlier } = await readNifti(new Uint8Array(image), id)
      const bytes = await writeNifti(differenceSince(earlier, now), { plain: true })
      const wanted = () => this.element.value === id && isPressed(this.differenceButton)
      if (!wanted()) return
      await viewer.add(differenceName, Uint8Array.from(bytes).buffer, { colormap: 'warm', colormapNegative: 'winter' })
      if (!wanted()) return viewer.remove(differenceName)
      viewer.showMap(differenceName, differenceShown.from, differenceShown.opacity, differenceShown.to)
    }, this.differenceButton)
  }

  /** The server aligns the two scans first; what does not fit is said. */
  private earlierMask(id: string): Promise<Mask> {
    this.earlier ??= (async () => {
      say('Aligning the two scans…', 60)
      const { trusted } = await server.besideFacts(this.view.id, id)
      const mask = await readNiftiMask(new Uint8Array(await server.beside(this.view.id, id, 'mask')), id)
      say(
        trusted ? 'Aligned.' : 'The two scans do not seem to lie on each other: what differs here says little.',
        trusted ? 2 : 15,
      )
      return mask
    })()
    return this.earlier
  }

  /** Says what went wrong and lets the button go. */
  private async trying<T>(work: () => Promise<T>, button: HTMLButtonElement): Promise<T | undefined> {
    const id = this.element.value
    try {
      return await work()
    } catch (error) {
      // The buttons belong to another one by now.
      if (this.element.value !== id || !this.view.open) return undefined
      this.earlier = undefined
      if (isPressed(button)) press(button)
      say((error as Error).message, 12)
      return undefined
    }
  }

  close(): void {
    clearInterval(this.timer)
    this.timer = undefined
    this.box?.remove()
    this.box = this.viewer = this.earlier = undefined
    this.legend.hidden = true
    if (this.compared) {
      this.compared = undefined
      this.view.paintClasses()
    }
    this.view.viewer.remove(differenceName)
    for (const button of this.buttons) {
      button.disabled = true
      button.setAttribute('aria-pressed', 'false')
    }
    this.view.picture.classList.remove('two', 'blink')
  }
}

const toggle = (name: string, onclick: () => void): HTMLButtonElement =>
  h('button', { 'aria-pressed': 'false', disabled: true, onclick }, name)

const isPressed = (button: HTMLElement): boolean => button.getAttribute('aria-pressed') === 'true'

/** @returns whether it is pressed now */
function press(button: HTMLElement): boolean {
  const on = !isPressed(button)
  button.setAttribute('aria-pressed', String(on))
  return on
}
