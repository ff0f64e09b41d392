import { DRAG_MODE, Niivue, NVImage, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue'
import { readNifti } from '../formats/nifti.js'
import { locationHex, locations } from '../lesions/types.js'
import { apply, invert, type Vec3 } from '../volume/affine.js'
import type { Image, Mask } from '../volume/volume.js'
import type { ChangeName } from './changes.js'
import { isRadiological } from './convention.js'
import type { Change } from './mask-editor.js'
import { fileOnGrid } from './on-grid.js'
import type { Plane } from './plane.js'

/** Where the pointer is: voxel of the mask's grid, and the plane of the picture that it is in. */
export interface Place {
  voxel: Vec3
  plane: Plane
}

/** What a map that is shown holds somewhere. */
export interface MapValue {
  name: string
  value: number
}

export type Layout = 'planes' | 'axial' | 'coronal' | 'sagittal' | '3d'

const planes: readonly Plane[] = [2, 1, 0]
/** Unit of the texture that holds NiiVue's drawing. */
const drawingUnit = 7
/** NiiVue's type of map in which a value keeps its colour wherever the map begins; what is less is not drawn. */
const coloursFromZero = 2

/**
 * The picture: three linked planes and the head in 3-D. The mask is NiiVue's drawing, whose voxels are ours as they stand,
 * because every volume comes with its axes towards RAS.
 */
export class Viewer {
  private readonly niivue: Niivue
  private readonly loaded = new Map<string, NVImage>()
  private readonly bytes = new Map<string, ArrayBuffer>()
  private mask: Mask | undefined
  /** What is drawn for each voxel of the mask: its colour. */
  private colours: Uint8Array | undefined
  private outline = false
  private shownLayout: Layout = 'planes'
  private readonly awaited = new Map<string, Promise<void>>()
  private pending = false
  onMove: (voxel: Vec3, mm: Vec3, value: number, over: readonly MapValue[]) => void = () => {}
  /** Layout, image, outline or the mask's opacity has changed. */
  onLook: () => void = () => {}

  constructor() {
    this.niivue = new Niivue({
      backColor: [0, 0, 0, 1],
      show3Dcrosshair: true,
      // The planes first: the head in 3-D takes longest to draw.
      multiplanarShowRender: SHOW_RENDER.NEVER,
      isResizeCanvas: true,
      crosshairWidth: 1,
      dragAndDropEnabled: false,
      isSliceMM: false,
      isRadiologicalConvention: isRadiological(),
      logLevel: 'error',
      // Apart from lesions and crosshair, and the length beside the line.
      rulerColor: [1, 0.9, 0.2, 1],
      measureLineColor: [1, 0.9, 0.2, 1],
      measureTextColor: [1, 1, 1, 1],
      measureTextJustify: 'end',
    })
    this.niivue.onLocationChange = (found) => {
      const { vox, mm, values } = found as { vox: Vec3; mm: Vec3; values?: { value: number }[] }
      const over = [...this.loaded].flatMap(([name, image]) => {
        const at = this.niivue.volumes.indexOf(image)
        return at > 0 && image.opacity > 0 && values?.[at] ? [{ name, value: values[at].value }] : []
      })
      this.onMove([vox[0], vox[1], vox[2]], [mm[0], mm[1], mm[2]], values?.[0]?.value ?? Number.NaN, over)
    }
  }

  async attach(canvas: HTMLCanvasElement): Promise<void> {
    // Its keys are its own, not those by which a screen reader reads.
    canvas.setAttribute('role', 'application')
    // NiiVue takes the focus while the pointer moves: the page must not scroll away under it.
    canvas.focus = () => HTMLElement.prototype.focus.call(canvas, { preventScroll: true })
    await this.niivue.attachToCanvas(canvas)
    this.niivue.setSliceType(SLICE_TYPE.MULTIPLANAR)
    this.niivue.setInterpolation(true)
    this.niivue.drawLut = lut(this.niivue)
  }

  /** Sees to it that an image is there, but not shown yet. Without a graphics card a further one takes seconds. */
  need(name: string, fetched: () => Promise<ArrayBuffer>, options: { colormap?: string } = {}): Promise<void> {
    let loading = this.awaited.get(name)
    if (!loading && !this.has(name)) {
      loading = fetched().then((bytes) => this.add(name, bytes, options))
      loading.catch(() => this.awaited.delete(name))
      this.awaited.set(name, loading)
    }
    return loading ?? Promise.resolve()
  }

  /**
   * Adds an image; the first one is shown, and the mask must have its grid. Further ones are brought onto that grid and wait
   * until they are shown; maps lie over whatever is shown, hidden at first.
   */
  async add(name: string, bytes: ArrayBuffer, { colormap = 'gray', colormapNegative = '' } = {}): Promise<void> {
    const isMap = overlays.has(name)
    const placed = isMap || !this.mask ? bytes : await fileOnGrid(bytes, name, this.mask)
    const opacity = isMap ? 0 : 1
    const image = await NVImage.loadFromUrl({ url: placed, name: `${name}.nii`, colormap, colormapNegative, opacity })
    if (isMap && !colormapNegative) image.colormapType = coloursFromZero
    this.remove(name)
    this.loaded.set(name, image)
    this.bytes.set(name, placed)
    if (isMap || this.niivue.volumes.length === 0) this.niivue.addVolume(image)
  }

  remove(name: string): void {
    const image = this.loaded.get(name)
    if (!image) return
    this.loaded.delete(name)
    this.bytes.delete(name)
    this.niivue.removeVolume(image)
  }

  /** An image's values, for growing and thresholds. */
  async valuesOf(name: string): Promise<Image | undefined> {
    const bytes = this.bytes.get(name)
    return bytes && (await readNifti(new Uint8Array(bytes), name)).image
  }

  has(name: string): boolean {
    return this.loaded.has(name)
  }

  /** The name of the image that is shown. */
  get image(): string | undefined {
    return [...this.loaded].find(([, image]) => image === this.niivue.volumes[0])?.[0]
  }

  /** Shows one image in the place of another. NiiVue lays every further volume over the drawing, but not the first one. */
  show(name: string): void {
    const image = this.loaded.get(name)
    const { niivue } = this
    if (!image || image === niivue.volumes[0]) return
    niivue.volumes[0] = image
    niivue.setVolume(image, 0)
    niivue.createOnLocationChange()
    this.onLook()
  }

  /** A map from a level on, over the image; what is below the negative of that level too, where the map has a second colour. */
  showMap(name: string, from: number, opacity: number, to = 1): void {
    const image = this.loaded.get(name)
    if (!image) return
    image.cal_min = from
    image.cal_max = to
    image.opacity = opacity
    this.niivue.updateGLVolume()
    this.niivue.createOnLocationChange()
  }

  /** The mask to draw, by reference: call `redraw` after changes. */
  setMask(mask: Mask): void {
    this.mask = mask
    this.niivue.createEmptyDrawing()
    this.redraw()
  }

  /**
   * @param colours one of `colourIndex` for each voxel; undefined: all as lesion. Voxels outside the mask are drawn only
   * in the colours of what was lesion before
   */
  setColours(colours: Uint8Array | undefined): void {
    this.colours = colours
    this.redraw()
  }

  setRadiological(on: boolean): void {
    this.niivue.setRadiologicalConvention(on)
  }

  setOutline(on: boolean): void {
    if (on === this.outline) return
    this.outline = on
    this.redraw()
    this.onLook()
  }

  setMaskOpacity(opacity: number): void {
    if (opacity === this.niivue.drawOpacity) return
    this.niivue.drawOpacity = opacity
    this.niivue.drawScene()
    this.onLook()
  }

  setInterpolation(smooth: boolean): void {
    this.niivue.setInterpolation(!smooth)
  }

  /** Draws the whole mask anew. */
  redraw(): void {
    const { mask, niivue } = this
    if (!mask || !niivue.drawBitmap) return
    const bitmap = niivue.drawBitmap
    for (let at = 0; at < bitmap.length; at++) bitmap[at] = this.shown(at)
    niivue.refreshDrawing(true)
  }

  /** Draws what a change touched: only the slices that hold it are sent to the graphics card. */
  redrawChange({ at }: Pick<Change, 'at'>): void {
    const { mask, niivue } = this
    const bitmap = niivue.drawBitmap
    if (!mask || !bitmap || at.length === 0) return
    const [nx, ny, nz] = mask.dims
    const slice = nx * ny
    let [low, high] = [nz, -1]
    const touch = (voxel: number) => {
      if (voxel < 0 || voxel >= bitmap.length) return
      bitmap[voxel] = this.shown(voxel)
      const z = Math.floor(voxel / slice)
      if (z < low) low = z
      if (z > high) high = z
    }
    for (const voxel of at) {
      touch(voxel)
      // A neighbour may have become, or ceased to be, a border.
      if (this.outline) for (const step of [1, -1, nx, -nx, slice, -slice]) touch(voxel + step)
    }
    const { gl } = niivue
    gl.activeTexture(gl.TEXTURE0 + drawingUnit)
    gl.bindTexture(gl.TEXTURE_3D, niivue.drawTexture)
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1)
    gl.texSubImage3D(
      gl.TEXTURE_3D,
      ...([0, 0, 0, low, nx, ny, high - low + 1] as const),
      gl.RED,
      gl.UNSIGNED_BYTE,
      bitmap.subarray(low * slice, (high + 1) * slice),
    )
    this.drawSoon()
  }

  /** One picture for all events of a frame. */
  private drawSoon(): void {
    if (this.pending) return
    this.pending = true
    requestAnimationFrame(() => {
      this.pending = false
      this.niivue.drawScene()
    })
  }

  private shown(at: number): number {
    const { mask } = this
    if (!mask) return 0
    if (mask.data[at] === 0) return lesionBefore.has(this.colours?.[at] ?? 0) ? this.colours![at] : 0
    if (this.outline && this.isInside(at)) return 0
    return this.colours?.[at] || 1
  }

  /** All six neighbours are lesion too. */
  private isInside(at: number): boolean {
    const { dims, data } = this.mask!
    const [nx, ny] = dims
    return [1, -1, nx, -nx, nx * ny, -nx * ny].every((step) => data[at + step] !== 0)
  }

  /** The place under a pointer; undefined outside the three planes. */
  placeAt(event: { clientX: number; clientY: number }, canvas: HTMLCanvasElement): Place | undefined {
    const box = canvas.getBoundingClientRect()
    const scale = canvas.width / box.width
    const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale]
    const tile = this.niivue.tileIndex(x, y)
    if (tile < 0) return undefined
    const axis = this.niivue.screenSlices[tile]?.axCorSag as number
    if (axis > 2) return undefined
    const frac = this.niivue.screenXY2TextureFrac(x, y, tile)
    if (frac[0] < 0) return undefined
    const voxel = this.niivue.frac2vox(frac)
    return { voxel: [voxel[0], voxel[1], voxel[2]], plane: planes[axis] }
  }

  get crosshair(): Vec3 {
    const voxel = this.niivue.frac2vox(this.niivue.scene.crosshairPos)
    return [voxel[0], voxel[1], voxel[2]]
  }

  goTo(voxel: Vec3): void {
    this.niivue.scene.crosshairPos = this.niivue.vox2frac(voxel as [number, number, number])
    this.niivue.createOnLocationChange()
    this.niivue.drawScene()
  }

  /** By a place in the world, in another scan too. */
  goToMm(mm: Vec3): void {
    if (this.mask) this.goTo(apply(invert(this.mask.affine), mm).map(Math.round) as unknown as Vec3)
  }

  /** The head in 3-D beside the planes. */
  showHead(): void {
    this.niivue.opts.multiplanarShowRender = SHOW_RENDER.ALWAYS
    this.niivue.drawScene()
  }

  layout(which: Layout): void {
    if (which === this.shownLayout) return
    this.shownLayout = which
    const types = {
      planes: SLICE_TYPE.MULTIPLANAR,
      axial: SLICE_TYPE.AXIAL,
      coronal: SLICE_TYPE.CORONAL,
      sagittal: SLICE_TYPE.SAGITTAL,
      '3d': SLICE_TYPE.RENDER,
    }
    this.niivue.setSliceType(types[which])
    this.onLook()
  }

  /** Looks as another picture does, apart from the image. */
  lookLike({ shownLayout, outline, niivue }: Viewer): void {
    this.layout(shownLayout)
    this.setOutline(outline)
    this.setMaskOpacity(niivue.drawOpacity)
  }

  /** Distances are measured by dragging. */
  measure(on: boolean): void {
    this.niivue.opts.dragModePrimary = on ? DRAG_MODE.measurement : DRAG_MODE.crosshair
  }

  /** Draws a measured line between two voxels, with its length, in every plane whose slice holds both. */
  drawLine(from: Vec3, to: Vec3): void {
    const { niivue } = this
    const [start, end] = [from, to].map((voxel) => niivue.vox2frac(voxel as [number, number, number]))
    const [startMM, endMM] = [start, end].map((at): [number, number, number] => {
      const [x, y, z] = niivue.frac2mm(at)
      return [x, y, z]
    })
    for (const [sliceType, axis] of planes.entries())
      if (from[axis] === to[axis])
        niivue.document.completedMeasurements.push({
          ...{ startMM, endMM, sliceType, sliceIndex: -1, slicePosition: end[axis] },
          distance: Math.hypot(...startMM.map((mm, i) => endMM[i] - mm)),
        })
    niivue.drawScene()
  }

  async screenshot(name: string): Promise<void> {
    await this.niivue.saveScene(name)
  }

  resize(): void {
    this.niivue.resizeListener()
  }
}

/** Images that lie over the others as maps. */
const overlays: ReadonlySet<string> = new Set(['probability', 'uncertainty', 'difference'])

/** Colours of lesions: plain, by location, and without one. */
export const classColours: Readonly<Record<string, string>> = {
  lesion: '#e5484d',
  ...Object.fromEntries(locations.map((location) => [location, locationHex(location)])),
  new: '#ffffff',
}

/** Colours of what became of lesion since an earlier visit: warm came, cold went (of Okabe & Ito 2008, for all eyes). */
export const changeColours: Readonly<Record<ChangeName, string>> = {
  stable: '#009e73',
  new: '#d55e00',
  growing: '#f0e442',
  shrinking: '#56b4e9',
  vanished: '#0072b2',
}

const colourNames = [
  ...Object.keys(classColours),
  ...Object.keys(changeColours).map((name) => `change ${name}`),
] as const
/** The number by which a colour is drawn. */
export const colourIndex = (name: string): number => Math.max(0, colourNames.indexOf(name)) + 1
const lesionBefore: ReadonlySet<number> = new Set(['change shrinking', 'change vanished'].map(colourIndex))

function lut(niivue: Niivue): Niivue['drawLut'] {
  const table = new Uint8ClampedArray(4 * 256)
  for (const [i, colour] of [...Object.values(classColours), ...Object.values(changeColours)].entries()) {
    for (let c = 0; c < 3; c++) table[4 * (i + 1) + c] = Number.parseInt(colour.slice(1 + 2 * c, 3 + 2 * c), 16)
    table[4 * (i + 1) + 3] = 255
  }
  return { ...niivue.drawLut, lut: table }
}
