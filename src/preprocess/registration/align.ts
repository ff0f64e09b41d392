import { type Arena, withArena } from '../../kernels/index.js'
import { type Affine, compose } from '../../volume/affine.js'
import type { Image } from '../../volume/volume.js'
import { lostByShifts, onOneScale, trustworthy } from './check.js'
import { figureOf } from './joint.js'
import { ascend, type Slope } from './optimise.js'
import type { RegisterOptions, Registration } from './options.js'
import { centreOfMass, pyramid } from './pyramid.js'
import { bestStarts } from './search.js'
import { type Measure, measureOf } from './similarity.js'
import { derivatives, type Freedom, freed, parametersToMap, plausible } from './transform.js'
import { wideStarts } from './wide.js'

/** Registration coarse to fine of two images that show the same of a head; see `register`. */
export async function align(fixed: Image, moving: Image, options: RegisterOptions): Promise<Registration> {
  const { dof, initial, similarity: kind = 'nmi', search = 'auto', signal, progress = () => {} } = options
  const levels = await pyramid(fixed, moving, options)
  progress(0.3)
  const centre = centreOfMass(levels[0].fixed)
  const movingCentre = centreOfMass(levels[0].whole)

  const work = async (arena: Arena): Promise<Registration> => {
    let evaluations = 0
    const measures = levels.map((level) => measureOf(arena, level))
    const [coarse, second, ...later] = measures

    const slopeOf =
      (measure: Measure, base: Affine) =>
      async (p: readonly number[]): Promise<Slope> => {
        evaluations++
        if (!plausible(p)) return { value: Number.NEGATIVE_INFINITY, gradient: new Float64Array(p.length) }
        const { slope, ...found } = await measure.withSlope(compose(base, parametersToMap(p, centre)), kind)
        const gradient = Float64Array.from(derivatives(p, centre), (change) => {
          const moved = measure.aboutOrigin(compose(base, change))
          return slope.reduce((sum, s, i) => sum + s * moved[i], 0)
        })
        return { value: figureOf(found, kind) * shared(found.overlap), gradient }
      }

    /** The starts followed at the coarsest level, best first but that the earlier of two that are about equal leads. */
    const follow = async (starts: readonly Affine[]): Promise<Followed[]> => {
      const followed: Followed[] = []
      for (const [i, base] of starts.entries()) {
        const f = slopeOf(coarse, base)
        let { point, value } = await ascend(f, new Array<number>(6).fill(0), { longest: 8, tolerance: 0.3 })
        for (const freedom of freedoms.filter((more) => more <= dof))
          ({ point, value } = await ascend(f, freed(point, freedom), { longest: 6, tolerance: 0.3 }))
        const better = followed.findIndex((other) => value > other.value + (other.value > 0 ? clearly : 0))
        followed.splice(better < 0 ? followed.length : better, 0, { base, point, value })
        progress(0.3 + (0.3 * (i + 1)) / starts.length)
      }
      return followed
    }

    const climb = async ({ base, point }: Followed, through: readonly Measure[]): Promise<Followed> => {
      let now = { base, point, value: 0 }
      for (const measure of through) {
        const { mm } = levels[measures.indexOf(measure)]
        now = {
          base,
          ...(await ascend(slopeOf(measure, base), now.point, { longest: mm, tolerance: mm / 50 })),
        }
        progress(0.6 + (0.4 * measures.indexOf(measure)) / (levels.length - 1))
      }
      return now
    }

    const nearby = async () => {
      const starts = initial ? [initial] : await bestStarts(coarse, centre, movingCentre, shared)
      return await climb((await follow(starts))[0], [second, ...later])
    }
    /** Which way up a head lies is seen better at the second level: several are taken there. */
    const anywhere = async () => {
      const followed = await follow(await wideStarts(coarse, centre, movingCentre, shared))
      const seen: Followed[] = []
      for (const one of followed.slice(0, 6)) seen.push(await climb(one, [second]))
      return await climb(
        seen.reduce((best, one) => (one.value > best.value ? one : best)),
        later,
      )
    }
    const mapOf = ({ base, point }: Followed) => compose(base, parametersToMap(point, centre))
    const checkOf = async (one: Followed) =>
      onOneScale(await lostByShifts(measures[2], mapOf(one)), options.fixedMask !== undefined)

    let best = search === 'wide' && !initial ? await anywhere() : await nearby()
    if (search === 'auto' && dof === 6 && !initial) {
      const check = await checkOf(best)
      if (!trustworthy(check)) {
        const other = await anywhere()
        if ((await checkOf(other)) > check) best = other
      }
    }
    const map = mapOf(best)
    const { normalised, mutualInformation, correlation } = await measures[measures.length - 1](map)
    return { map, similarity: normalised, mutualInformation, correlation, evaluations }
  }
  return await withArena(work, { signal })
}

interface Followed {
  base: Affine
  point: number[]
  value: number
}

const freedoms: readonly Freedom[] = [7, 9, 12]

/** The headers, which come first, are right more often than chance: another start has to be better by this. */
const clearly = 0.002

/** Little overlap makes any histogram look ordered: below a half of the points it costs. */
const shared = (overlap: number): number => Math.min(1, 0.5 + overlap)
