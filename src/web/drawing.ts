import { apply, type Vec3 } from '../volume/affine.js'
import type { CaseView } from './case-view.js'
import { isRadiological } from './convention.js'
import { askFor, say } from './dom.js'
import { help } from './help.js'
import { across, type Plane, planeNames } from './plane.js'
import type { Layout, Place } from './viewer.js'

export type Tool = 'look' | 'brush' | 'eraser' | 'fill' | 'grow' | 'measure'
export const toolNames: Readonly<Record<Tool, string>> = {
  look: 'Look',
  brush: 'Brush',
  eraser: 'Eraser',
  fill: 'Fill',
  grow: 'Grow',
  measure: 'Measure',
}
const layoutPlanes: Readonly<Record<Exclude<Layout, 'planes' | '3d'>, Plane>> = { axial: 2, coronal: 1, sagittal: 0 }
/** How far from its seed a lesion may grow, mm. */
const growMm = 15

/** What pointer and keys do in the picture. */
export class Drawing {
  /** Of the brush, mm. */
  radius = 2
  /** The brush is a ball, not a disc in its plane. */
  ball = false
  /** Milliseconds of our own script for each brush event. */
  readonly brushTimes: number[] = []
  private tool: Tool = 'look'
  private stroke: Place | undefined
  /** What keys work in: where the pointer drew last, or the layout. */
  private plane: Plane = 2
  /** What grows still. */
  private growing: Promise<void> = Promise.resolve()
  /** The voxel where measuring by keys began. */
  private measuredFrom: Vec3 | undefined

  constructor(
    private readonly view: CaseView,
    private readonly canvas: HTMLCanvasElement,
    private readonly picture: HTMLElement,
  ) {}

  use(tool: Tool): void {
    this.tool = tool
    this.measuredFrom = undefined
    this.view.bars.showTool(tool)
    this.view.viewer.measure(tool === 'measure')
    this.canvas.style.cursor = tool === 'look' ? 'crosshair' : 'cell'
  }

  /** One plane, or all of them with the head; keys work in the plane that is shown. */
  layout(which: Layout): void {
    if (which in layoutPlanes) this.plane = layoutPlanes[which as keyof typeof layoutPlanes]
    this.view.viewer.layout(which)
    this.view.bars.showLayout(which)
  }

  /** Between two drawn slices, of the lesion at the crosshair. */
  async interpolate(): Promise<void> {
    const { plane } = this
    const { crosshair } = this.view.viewer
    const { data, dims } = this.view.editor.mask
    const stride = [1, dims[0], dims[0] * dims[1]][plane]
    const drawn = (slice: number) => data.some((v, at) => v !== 0 && Math.floor(at / stride) % dims[plane] === slice)
    const shown = Math.round(crosshair[plane])
    const answer = await askFor(
      `Interpolate between which two ${planeNames[plane]} slices?`,
      `${Math.max(0, shown - 2)} ${Math.min(dims[plane] - 1, shown + 2)}`,
      `Two numbers of 0 to ${dims[plane] - 1}; both slices must hold a drawing. In each, the outline nearest to the crosshair is taken.`,
      (text) => {
        const [a, b] = text.split(/\s+/).map(Number)
        return Math.abs(a - b) > 1 && drawn(a) && drawn(b)
      },
    )
    if (!answer) return
    const [a, b] = answer.split(/\s+/).map(Number)
    const change = this.view.act('interpolate', () => this.view.editor.interpolate(plane, a, b, crosshair))
    if (!change) say('The two outlines have nothing between them.')
  }

  listen(signal: AbortSignal): void {
    this.view.viewer.onMove = (voxel, mm, value, over) => {
      this.view.beside.follow(apply(this.view.editor.mask.affine, voxel))
      this.picture.querySelector('.where')!.textContent =
        `${mm.map((v) => v.toFixed(1)).join(', ')} mm · voxel ${voxel.map(Math.round).join(', ')} · ${Number.isFinite(value) ? value.toPrecision(4) : '–'}${over.map((map) => ` · ${map.name} ${map.value.toFixed(2)}`).join('')}`
    }
    const drawing = () => this.tool !== 'look' && this.tool !== 'measure'
    // Before NiiVue, which listens on the canvas itself.
    for (const name of ['mousedown', 'touchstart'])
      this.picture.addEventListener(name, (event) => drawing() && event.stopPropagation(), { capture: true, signal })
    this.picture.addEventListener('pointerdown', (event) => this.down(event), { capture: true, signal })
    window.addEventListener('pointermove', (event) => this.drag(event), { signal })
    window.addEventListener('pointerup', () => this.endStroke(), { signal })
    window.addEventListener('keydown', (event) => this.key(event), { signal })
    window.addEventListener('beforeunload', (event) => this.leaving(event), { signal })
    this.view.viewer.goTo(
      this.view.shown.lesions[0]?.voxel ??
        (this.view.editor.mask.dims.map((n) => Math.floor(n / 2)) as unknown as Vec3),
    )
  }

  /** The browser asks before it closes what would be lost; the draft is on its way meanwhile. */
  private leaving(event: BeforeUnloadEvent): void {
    if (this.view.drafts.loose) event.preventDefault()
    void this.view.keepDraft()
  }

  private down(event: PointerEvent): void {
    if (this.tool === 'look' || this.tool === 'measure' || event.button !== 0) return
    const place = this.view.viewer.placeAt(event, this.canvas)
    if (!place) return
    this.plane = place.plane
    if (this.tool === 'fill') this.fill(place.voxel)
    else if (this.tool === 'grow') this.growing = this.grow(place.voxel)
    else {
      this.view.editor.begin(this.tool)
      this.stroke = place
      this.paint(place, place)
    }
  }

  private drag(event: PointerEvent): void {
    if (!this.stroke) return
    // Something else was done meanwhile, and ended the stroke.
    if (!this.view.editor.drawing) {
      this.endStroke()
      return
    }
    const place = this.view.viewer.placeAt(event, this.canvas)
    if (!place || place.plane !== this.stroke.plane) return
    this.paint(this.stroke, place)
    this.stroke = place
  }

  /** Ends the stroke, if there is one, and waits for what grows. */
  async finish(): Promise<void> {
    this.endStroke()
    await this.growing
  }

  private endStroke(): void {
    if (!this.stroke) return
    this.stroke = undefined
    const { editor } = this.view
    if (!editor.drawing || editor.end()) this.view.changed()
  }

  private paint(from: Place, to: Place): void {
    const start = performance.now()
    const touched = this.view.editor.line(
      from.voxel,
      to.voxel,
      this.radius,
      this.tool === 'eraser' ? 0 : 1,
      this.ball ? undefined : to.plane,
    )
    this.view.viewer.redrawChange({ at: touched })
    this.brushTimes.push(performance.now() - start)
  }

  private fill(voxel: Vec3): void {
    const change = this.view.act('fill', () => this.view.editor.fillEnclosed(voxel, this.plane))
    if (!change) say(`No ${planeNames[this.plane]} outline encloses this place.`)
  }

  private async grow(voxel: Vec3): Promise<void> {
    const { facts, viewer } = this.view
    const name = facts.images.find((one) => one === viewer.image)
    const values = name && (await viewer.valuesOf(name))
    if (!values) {
      say('There is no image to grow in.')
      return
    }
    let added = 0
    this.view.act('grow', () => {
      added = this.view.editor.grow(voxel, values, { tolerance: this.view.panel.tolerance, radius: growMm })
    })
    say(`${added} voxels grown.`)
  }

  private key(event: KeyboardEvent): void {
    if (takesKey(event)) return
    const onCanvas = document.activeElement === this.canvas
    const control = event.ctrlKey || event.metaKey
    if (document.querySelector('dialog[open]')) {
      // The browser would save the page.
      if (control && event.key.toLowerCase() === 's') event.preventDefault()
      return
    }
    const tools: Record<string, Tool> = { l: 'look', b: 'brush', e: 'eraser', f: 'fill', g: 'grow', m: 'measure' }
    const { key } = event
    if (control && key.toLowerCase() === 'z') event.shiftKey ? this.view.redo() : this.view.undo()
    else if (control && key.toLowerCase() === 'y') this.view.redo()
    else if (control && key.toLowerCase() === 's') event.repeat || void this.view.versions.save()
    else if (control) return
    else if (tools[key]) this.use(tools[key])
    else if (key === 'n' || key === 'p') this.view.panel.step(key === 'n' ? 1 : -1)
    else if (key === '?') help()
    else if (['1', '2', '3'].includes(key)) this.plane = (3 - Number(key)) as Plane
    else if (onCanvas && key === ' ') this.paintHere()
    else if (onCanvas && key.startsWith('Arrow')) this.move(key)
    else if (onCanvas && (key === 'PageUp' || key === 'PageDown')) this.shift(this.plane, key === 'PageUp' ? 1 : -1)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  private move(key: string): void {
    const [right, up] = across(this.plane)
    // The first axis runs to the patient's right: on the screen that may be to the left.
    const turned = right === 0 && isRadiological() ? -1 : 1
    if (key === 'ArrowLeft' || key === 'ArrowRight') this.shift(right, key === 'ArrowRight' ? turned : -turned)
    else this.shift(up, key === 'ArrowUp' ? 1 : -1)
  }

  private shift(axis: Plane, by: number): void {
    const voxel = this.view.viewer.crosshair.map(Math.round)
    voxel[axis] = Math.min(this.view.editor.mask.dims[axis] - 1, Math.max(0, voxel[axis] + by))
    this.view.viewer.goTo(voxel as unknown as Vec3)
  }

  /** The tool at the crosshair, by the space bar. */
  private paintHere(): void {
    const voxel = this.view.viewer.crosshair
    const plane = this.ball ? undefined : this.plane
    if (this.tool === 'fill') this.fill(voxel)
    else if (this.tool === 'grow') this.growing = this.grow(voxel)
    else if (this.tool === 'measure') this.measureTo(voxel)
    else if (this.tool === 'look') say('Look changes nothing: B takes the brush.')
    else {
      const { tool } = this
      this.view.act(tool, () => {
        this.view.editor.brush(voxel, this.radius, tool === 'eraser' ? 0 : 1, plane)
      })
    }
  }

  /** Measures from the place where it was asked first to the one where it is asked again. */
  private measureTo(voxel: Vec3): void {
    const to = voxel.map(Math.round) as unknown as Vec3
    const from = this.measuredFrom
    this.measuredFrom = from ? undefined : to
    if (!from) {
      say('Measured from here: move the crosshair, then Space again.', 15)
      return
    }
    const [start, end] = [from, to].map((at) => apply(this.view.editor.mask.affine, at))
    this.view.viewer.drawLine(from, to)
    say(`${Math.hypot(...end.map((value, axis) => value - start[axis])).toFixed(1)} mm`, 15)
  }
}

/** The element that has the focus needs the key itself: letters where text or a choice is entered. */
function takesKey({ target, ctrlKey, metaKey }: KeyboardEvent): boolean {
  if (target instanceof HTMLSelectElement) return !ctrlKey && !metaKey
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'range'].includes(target.type)
  return target instanceof HTMLTextAreaElement
}
