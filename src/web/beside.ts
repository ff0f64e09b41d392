import { readNiftiMask } from '../formats/nifti.js'
import { apply, type Vec3 } from '../volume/affine.js'
import { server } from './api.js'
import type { CaseView } from './case-view.js'
import { h, say } from './dom.js'
import { Viewer } from './viewer.js'

/** Seconds between the two pictures when they take turns. */
const blinkSeconds = 0.6

/**
 * Another result beside this one, to look at: the cursors stay at the same place in the world (mm), which is the same place
 * in the head where the two scans share a space. They stand side by side, or take turns in one place.
 */
export class Beside {
  readonly element = h('select', { 'aria-label': 'Beside', oninput: () => void this.choose(this.element.value) })
  readonly blinkButton = h('button', { 'aria-pressed': 'false', disabled: true, onclick: () => this.blink() }, 'Blink')
  private viewer: Viewer | undefined
  private box: HTMLElement | undefined
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(
    private readonly view: CaseView,
    others: readonly string[],
  ) {
    this.element.append(h('option', { value: '' }, 'nothing'))
    for (const id of others) this.element.append(h('option', { value: id }, id))
  }

  /** Either cursor moves the other; what follows does not lead back. */
  private led = false

  /** The cursor of the case has moved. */
  follow(mm: Vec3): void {
    this.lead(() => this.viewer?.goToMm(mm))
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
    this.box = h('div', {}, canvas, h('div', { class: 'where' }, id))
    this.view.picture.classList.add('two')
    this.view.picture.append(this.box)
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
      viewer.showHead()
      this.viewer = viewer
      this.blinkButton.disabled = false
      viewer.onMove = (voxel) => this.lead(() => this.view.viewer.goToMm(apply(mask.affine, voxel)))
      this.view.viewer.goTo(this.view.viewer.crosshair)
    } catch (error) {
      this.close()
      say((error as Error).message)
    }
  }

  /** The two take turns in one place, so that what differs moves. */
  private blink(): void {
    const on = this.timer === undefined
    this.blinkButton.setAttribute('aria-pressed', String(on))
    this.view.picture.classList.toggle('blink', on)
    clearInterval(this.timer)
    this.timer = undefined
    if (this.box) this.box.style.visibility = ''
    if (!on) return
    this.timer = setInterval(() => {
      if (this.box) this.box.style.visibility = this.box.style.visibility === 'hidden' ? '' : 'hidden'
    }, 1000 * blinkSeconds)
  }

  close(): void {
    clearInterval(this.timer)
    this.timer = undefined
    this.box?.remove()
    this.box = this.viewer = undefined
    this.blinkButton.disabled = true
    this.blinkButton.setAttribute('aria-pressed', 'false')
    this.view.picture.classList.remove('two', 'blink')
  }
}
