import FFT from 'fft.js'

/**
 * Sharpening of a log-intensity histogram (Sled, Zijdenbos & Evans 1998): the blur that a bias field gives it, taken as
 * a Gaussian, is removed by a Wiener filter, and each voxel's expected true value follows.
 */
export class Sharpener {
  readonly #bins = 200
  readonly #padded = 512
  readonly #fft = new FFT(512)

  constructor(
    readonly fwhm: number,
    readonly noise = 0.01,
  ) {}

  /**
   * Writes u − E(u), with u = logs − field, for voxels of weight > 0. False when there is nothing to sharpen: all values
   * are the same.
   */
  residual(logs: Float64Array, field: Float64Array, weights: Float64Array, out: Float64Array): boolean {
    const [min, max] = this.#range(logs, field, weights)
    if (!(max > min)) return false
    const slope = (max - min) / (this.#bins - 1)
    const expected = this.#expectation(this.#histogram(logs, field, weights, min, slope), min, slope)
    for (let i = 0; i < logs.length; i++) {
      if (weights[i] === 0) continue
      const u = logs[i] - field[i]
      const position = (u - min) / slope
      const bin = Math.min(this.#bins - 2, Math.floor(position))
      out[i] = u - (expected[bin] + (position - bin) * (expected[bin + 1] - expected[bin]))
    }
    return true
  }

  /**
   * Where the sharpened histogram has its brightest tissue: the brightest place around which, within a blur's width, lie at
   * least 10 % of all. Undefined when all values are the same.
   */
  brightestTissue(logs: Float64Array, field: Float64Array, weights: Float64Array): number | undefined {
    const [min, max] = this.#range(logs, field, weights)
    if (!(max > min)) return undefined
    const slope = (max - min) / (this.#bins - 1)
    const sharp = this.#sharpened(this.#histogram(logs, field, weights, min, slope), slope).sharp
    const reach = Math.max(1, Math.round(this.fwhm / slope / 2))
    const around = (bin: number) => sharp.slice(Math.max(0, bin - reach), bin + reach + 1).reduce((s, v) => s + v, 0)
    const all = sharp.reduce((sum, v) => sum + v, 0)
    let bin = this.#padded - 1
    while (bin > 0 && around(bin) < 0.1 * all) bin--
    // On to the peak itself.
    while (bin > 0 && around(bin - 1) > around(bin)) bin--
    return min + (bin - ((this.#padded - this.#bins) >> 1)) * slope
  }

  /** Each value is shared between the two nearest bins. */
  #histogram(logs: Float64Array, field: Float64Array, weights: Float64Array, min: number, slope: number): Float64Array {
    const counts = new Float64Array(this.#padded)
    const offset = (this.#padded - this.#bins) >> 1
    for (let i = 0; i < logs.length; i++) {
      if (weights[i] === 0) continue
      const position = (logs[i] - field[i] - min) / slope
      const bin = Math.floor(position)
      counts[offset + bin] += weights[i] * (1 - (position - bin))
      counts[offset + bin + 1] += weights[i] * (position - bin)
    }
    return counts
  }

  #range(logs: Float64Array, field: Float64Array, weights: Float64Array): [number, number] {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let i = 0; i < logs.length; i++)
      if (weights[i] > 0) {
        const u = logs[i] - field[i]
        if (u < min) min = u
        if (u > max) max = u
      }
    return [min, max]
  }

  /** The histogram without its blur, and the blur's transform. */
  #sharpened(counts: Float64Array, slope: number): { sharp: Float64Array; blur: number[] } {
    const n = this.#padded
    const sigma = this.fwhm / slope / (2 * Math.sqrt(2 * Math.log(2)))
    const gauss = Float64Array.from({ length: n }, (_, i) => Math.exp(-0.5 * (Math.min(i, n - i) / sigma) ** 2))
    const total = gauss.reduce((sum, v) => sum + v, 0)
    const blur = this.#forward(gauss.map((v) => v / total))
    const observed = this.#forward(counts)
    // The Gaussian is symmetric: its transform is real.
    for (let k = 0; k < n; k++) {
      const g = blur[2 * k]
      const filter = g / (g * g + this.noise)
      observed[2 * k] *= filter
      observed[2 * k + 1] *= filter
    }
    return { sharp: this.#backward(observed).map((v) => Math.max(0, v)), blur }
  }

  /** E(true value | observed value) for each bin. */
  #expectation(counts: Float64Array, min: number, slope: number): Float64Array {
    const offset = (this.#padded - this.#bins) >> 1
    const { sharp, blur } = this.#sharpened(counts, slope)
    const bottom = this.#blurred(sharp, blur)
    const top = this.#blurred(
      sharp.map((v, i) => v * (min + (i - offset) * slope)),
      blur,
    )
    return Float64Array.from({ length: this.#bins }, (_, bin) => {
      const b = bottom[offset + bin]
      return b > 1e-12 ? top[offset + bin] / b : min + bin * slope
    })
  }

  #blurred(values: Float64Array, blur: number[]): Float64Array {
    const spectrum = this.#forward(values)
    for (let k = 0; k < this.#padded; k++) {
      spectrum[2 * k] *= blur[2 * k]
      spectrum[2 * k + 1] *= blur[2 * k]
    }
    return this.#backward(spectrum)
  }

  #forward(values: Float64Array): number[] {
    const out = this.#fft.createComplexArray()
    this.#fft.realTransform(out, Array.from(values))
    this.#fft.completeSpectrum(out)
    return out
  }

  #backward(spectrum: number[]): Float64Array {
    const out = this.#fft.createComplexArray()
    this.#fft.inverseTransform(out, spectrum)
    return Float64Array.from({ length: this.#padded }, (_, i) => out[2 * i])
  }
}
