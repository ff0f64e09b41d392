/**
 * Weights of three channels in the colour model of Geusebroek et al. 2001: energy, and its first and second derivative
 * along the spectrum, for channels that are taken for red, green and blue.
 */
const colourModel = [
  [0.002358, 0.025174, 0.010821],
  [0.011943, 0.001715, -0.013994],
  [0.013743, -0.023965, 0.00657],
] as const

/**
 * Spectral invariants of three channels (Geusebroek et al. 2001; for MR sequences taken for colours: Lecoeur et al. 2009):
 * e_λ / e and (e · e_λλ − e_λ²) / e², which do not change when all channels are multiplied by one factor, as shading does.
 *
 * @param channels three arrays of values ≥ 0 in one scale, such as 0–255
 * @returns the two invariants; 0 where there is no signal
 */
export function spectralInvariants(channels: readonly Float32Array[]): [Float32Array, Float32Array] {
  const n = channels[0].length
  const [first, second] = [new Float32Array(n), new Float32Array(n)]
  const [r, g, b] = channels
  const e = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    for (let row = 0; row < 3; row++)
      e[row] = colourModel[row][0] * r[i] + colourModel[row][1] * g[i] + colourModel[row][2] * b[i]
    // One level of 255 in the weakest channel: below it there is nothing but noise to divide by.
    if (!(e[0] > 0.0024)) continue
    first[i] = e[1] / e[0]
    second[i] = (e[0] * e[2] - e[1] * e[1]) / (e[0] * e[0])
  }
  return [first, second]
}
