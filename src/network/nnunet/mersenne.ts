/** The Mersenne twister MT19937 seeded by a number (Matsumoto & Nishimura 1998): 32 random bits a call. */
export function mersenneTwister(seed: number): () => number {
  const [n, m] = [624, 397]
  const state = new Uint32Array(n)
  state[0] = seed
  for (let i = 1; i < n; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i
  let at = n
  const refill = () => {
    for (let i = 0; i < n; i++) {
      const y = (state[i] & 0x80000000) | (state[i + 1 < n ? i + 1 : 0] & 0x7fffffff)
      const next = i + m < n ? i + m : i + m - n
      state[i] = state[next] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
    }
    at = 0
  }
  return () => {
    if (at === n) refill()
    let y = state[at++]
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }
}

/** Uniform integers 0 … count − 1 from random bits: masked, those beyond are drawn again (NumPy's legacy `randint`). */
export function drawBelow(count: number, bits: () => number): () => number {
  if (count === 1) return () => 0
  const mask = 2 ** (32 - Math.clz32(count - 1)) - 1
  return () => {
    for (;;) {
      const value = (bits() & mask) >>> 0
      if (value < count) return value
    }
  }
}
