import { apply, type Vec3 } from '../volume/affine.js'
import type { CaseView } from './case-view.js'
import { askFor, say } from './dom.js'
import { help } from './help.js'
import type { Place } from './viewer.js'

export type Tool = 'look' | 'brush' | 'eraser' | 'fill' | 'grow' | 'measure'
export const toolNames: Readonly<Record<Tool, string>> = {
  look: 'Look',
  brush: 'Brush',
  eraser: 'Eraser',
  fill: 'Fill',
  grow: 'Grow',
  measure: 'Measure',
}
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
  private plane: 0 | 1 | 2 = 2

  constructor(
    private readonly view: CaseView,
    private readonly canvas: HTMLCanvasElement,
    private readonly picture: HTMLElement,
  ) {}

  use(tool: Tool): void {
    this.tool = tool
    this.view.bars.showTool(tool)
    this.view.viewer.measure(tool === 'measure')
    this.canvas.style.cursor = tool === 'look' ? 'crosshair' : 'cell'
  }

  /** Between the nearest drawn slices below and above the one that is shown. */
  async interpolate(): Promise<void> {
    const { crosshair } = this.view.viewer
    const { data, dims } = this.view.editor.mask
    const stride = [1, dims[0], dims[0] * dims[1]][this.plane]
    const drawn = (slice: number) =>
      data.some((v, at) => v !== 0 && Math.floor(at / stride) % dims[this.plane] === slice)
    const answer = await askFor(
      'Interpolate between which two slices?',
      `${Math.max(0, Math.round(crosshair[this.plane]) - 2)} ${Math.min(dims[this.plane] - 1, Math.round(crosshair[this.plane]) + 2)}`,
      `Two numbers of 0 to ${dims[this.plane] - 1}; both slices must hold a drawing.`,
      (text) => {
        const [a, b] = text.split(/\s+/).map(Number)
        return Math.abs(a - b) > 1 && drawn(a) && drawn(b)
      },
    )
    if (!answer) return
    const [a, b] = answer.split(/\s+/).map(Number)
    this.view.act('interpolate', () => this.view.editor.interpolate(this.plane, a, b))
  }

  listen(signal: AbortSignal): void {
    this.view.viewer.onMove = (voxel, mm, value) => {
      this.view.beside.follow(apply(this.view.editor.mask.affine, voxel))
      this.picture.querySelector('.where')!.textContent =
        `${mm.map((v) => v.toFixed(1)).join(', ')} mm · voxel ${voxel.map(Math.round).join(', ')} · ${Number.isFinite(value) ? value.toPrecision(4) : '–'}`
    }
    const drawing = () => this.tool !== 'look' && this.tool !== 'measure'
    // Before NiiVue, which listens on the canvas itself.
    for (const name of ['mousedown', 'touchstart'])
      this.picture.addEventListener(name, (event) => drawing() && event.stopPropagation(), { capture: true, signal })
    this.picture.addEventListener('pointerdown', (event) => this.down(event), { capture: true, signal })
    window.addEventListener('pointermove', (event) => this.drag(event), { signal })
    window.addEventListener('pointerup', () => this.up(), { signal })
    window.addEventListener('keydown', (event) => this.key(event), { signal })
    window.addEventListener('beforeunload', () => void this.view.keepDraft(), { signal })
    this.view.viewer.goTo(
      this.view.shown.lesions[0]?.voxel ??
        (this.view.editor.mask.dims.map((n) => Math.floor(n / 2)) as unknown as Vec3),
    )
  }

  private down(event: PointerEvent): void {
    if (this.tool === 'look' || this.tool === 'measure' || event.button !== 0) return
    const place = this.view.viewer.placeAt(event, this.canvas)
    if (!place) return
    this.plane = place.plane
    if (this.tool === 'fill') this.view.act('fill', () => this.view.editor.fillEnclosed(place.voxel, place.plane))
    else if (this.tool === 'grow') void this.grow(place.voxel)
    else {
      this.view.editor.begin(this.tool)
      this.stroke = place
      this.paint(place, place)
    }
  }

  private drag(event: PointerEvent): void {
    if (!this.stroke) return
    const place = this.view.viewer.placeAt(event, this.canvas)
    if (!place || place.plane !== this.stroke.plane) return
    this.paint(this.stroke, place)
    this.stroke = place
  }

  private up(): void {
    if (!this.stroke) return
    this.stroke = undefined
    if (this.view.editor.end()) this.view.changed()
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

  private async grow(voxel: Vec3): Promise<void> {
    const values = await this.view.viewer.valuesOf(this.view.bars.modality.value || this.view.facts.images[0])
    if (!values) return
    let added = 0
    this.view.act('grow', () => {
      added = this.view.editor.grow(voxel, values, { tolerance: this.view.panel.tolerance, radius: growMm })
    })
    say(`${added} voxels grown.`)
  }

  private key(event: KeyboardEvent): void {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return
    if (document.querySelector('dialog[open]')) return
    const onCanvas = document.activeElement === this.canvas
    const control = event.ctrlKey || event.metaKey
    const tools: Record<string, Tool> = { l: 'look', b: 'brush', e: 'eraser', f: 'fill', g: 'grow', m: 'measure' }
    const { key } = event
    if (control && key.toLowerCase() === 'z') event.shiftKey ? this.view.redo() : this.view.undo()
    else if (control && key.toLowerCase() === 'y') this.view.redo()
    else if (control && key.toLowerCase() === 's') void this.view.save()
    else if (control) return
    else if (tools[key]) this.use(tools[key])
    else if (key === 'n' || key === 'p') this.view.panel.step(key === 'n' ? 1 : -1)
    else if (key === '?') help()
    else if (['1', '2', '3'].includes(key)) this.plane = (3 - Number(key)) as 0 | 1 | 2
    else if (onCanvas && key === ' ') this.paintHere()
    else if (onCanvas && key.startsWith('Arrow')) this.move(key)
    else if (onCanvas && (key === 'PageUp' || key === 'PageDown')) this.shift(this.plane, key === 'PageUp' ? 1 : -1)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  private move(key: string): void {
    const [across, up] = ([0, 1, 2] as const).filter((axis) => axis !== this.plane)
    if (key === 'ArrowLeft' || key === 'ArrowRight') this.shift(across, key === 'ArrowRight' ? 1 : -1)
    else this.shift(up, key === 'ArrowUp' ? 1 : -1)
  }

  private shift(axis: 0 | 1 | 2, by: number): void {
    const voxel = this.view.viewer.crosshair.map(Math.round)
    voxel[axis] = Math.min(this.view.editor.mask.dims[axis] - 1, Math.max(0, voxel[axis] + by))
    this.view.viewer.goTo(voxel as unknown as Vec3)
  }

  /** The tool at the crosshair, by the space bar. */
  private paintHere(): void {
    const voxel = this.view.viewer.crosshair
    const plane = this.ball ? undefined : this.plane
    if (this.tool === 'fill') this.view.act('fill', () => this.view.editor.fillEnclosed(voxel, this.plane))
    else if (this.tool === 'grow') void this.grow(voxel)
    else
      this.view.act(this.tool === 'eraser' ? 'eraser' : 'brush', () => {
        this.view.editor.brush(voxel, this.radius, this.tool === 'eraser' ? 0 : 1, plane)
      })
  }
}
