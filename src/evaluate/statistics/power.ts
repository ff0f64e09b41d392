import { seededRandom } from '../../random.js'
import { noncentralTUpper, normalCdf, normalQuantile, tQuantile } from './distributions.js'
import type { Alternative } from './paired.js'

export interface PairedPlan {
  /** Mean difference over the standard deviation of the differences (Cohen's dz). */
  effect: number
  alpha?: number
  /** `greater` and `less` say which sign the effect is tested for. */
  alternative?: Alternative
}

/** Power of the paired t test with n pairs, exact by the noncentral t distribution. */
export function pairedTPower(n: number, { effect, alpha = 0.05, alternative = 'two-sided' }: PairedPlan): number {
  if (!(n >= 2)) throw new RangeError('a t test needs two pairs or more')
  const delta = effect * Math.sqrt(n)
  const critical = tQuantile(1 - (alternative === 'two-sided' ? alpha / 2 : alpha), n - 1)
  const above = () => noncentralTUpper(critical, n - 1, delta)
  const below = () => noncentralTUpper(critical, n - 1, -delta)
  return alternative === 'greater' ? above() : alternative === 'less' ? below() : above() + below()
}

/**
 * The least number of pairs with which the paired t test has this power.
 * @throws RangeError when the effect is 0 or has the sign that is not tested for
 */
export function pairedTSampleSize(plan: PairedPlan, power = 0.8): number {
  checkPower(power, plan.alpha)
  const { effect, alternative = 'two-sided' } = plan
  if (!(alternative === 'two-sided' ? Math.abs(effect) > 0 : alternative === 'greater' ? effect > 0 : effect < 0))
    throw new RangeError(`an effect of ${effect} cannot be found by a ${alternative} test`)
  let [low, high] = [1, 2]
  while (pairedTPower(high, plan) < power) [low, high] = [high, high * 2]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (pairedTPower(middle, plan) < power) low = middle
    else high = middle
  }
  return high
}

/**
 * Pairs for Wilcoxon's signed-rank test: those of the t test over the asymptotic relative efficiency, 3/π where
 * differences are normal, never below 0.864 (Hodges & Lehmann 1956, Ann Math Stat 27:324).
 */
export const wilcoxonSampleSize = (plan: PairedPlan, power = 0.8, efficiency = 3 / Math.PI): number =>
  Math.ceil(pairedTSampleSize(plan, power) / efficiency)

export interface SimulatedPower {
  power: number
  /** 95 % interval of the simulation itself (Wilson 1927). */
  low: number
  high: number
  trials: number
}

/**
 * Power of any test under any model, by simulation: the share of made-up trials with p ≤ alpha. A p of NaN is none.
 * @param trial one made-up trial: draws its data from `random` and gives the test's p
 */
export function simulatedPower(
  trial: (random: () => number) => number,
  { alpha = 0.05, trials = 2000, seed = 1 }: { alpha?: number; trials?: number; seed?: number } = {},
): SimulatedPower {
  const random = seededRandom(seed)
  let found = 0
  for (let i = 0; i < trials; i++) if (trial(random) <= alpha) found++
  const share = found / trials
  const z = normalQuantile(0.975)
  const centre = (share + z ** 2 / (2 * trials)) / (1 + z ** 2 / trials)
  const reach = (z / (1 + z ** 2 / trials)) * Math.sqrt((share * (1 - share)) / trials + (z / (2 * trials)) ** 2)
  return { power: share, low: centre - reach, high: centre + reach, trials }
}

export interface LesionCountPlan {
  /** Expected count of the control arm, e.g. new lesions a year. */
  control: number
  /** Expected count of the treated arm over the control arm's, e.g. 0.5. */
  ratio: number
  /** Overdispersion k of the negative binomial: variance = mean + k · mean². */
  dispersion: number
  /** Time that each patient is watched, in the unit of the counts. */
  followUp?: number
  /** Treated patients for each control. */
  allocation?: number
  alpha?: number
  /**
   * Variance of the log rate ratio if the arms are equal: from the planned rates, from the rate of the control arm, or
   * from the mean rate of both (methods 2, 1 and 3 of Zhu & Lakkis).
   */
  nullVariance?: 'planned' | 'control' | 'pooled'
}

/**
 * Power of a two-arm trial on lesion counts, two-sided test of the log rate ratio in a negative binomial model (Zhu &
 * Lakkis 2014, Stat Med 33:376; counts of MS lesions are negative binomial: Sormani et al. 2001, JNNP 70:494).
 * @param controls patients in the control arm
 */
export function lesionCountPower(controls: number, plan: LesionCountPlan): number {
  const { alpha = 0.05, ratio } = plan
  const { planned, equal } = rateVariances(plan)
  const distance = Math.sqrt(controls) * Math.abs(Math.log(ratio))
  const critical = normalQuantile(1 - alpha / 2) * Math.sqrt(equal)
  return normalCdf((distance - critical) / Math.sqrt(planned)) + normalCdf((-distance - critical) / Math.sqrt(planned))
}

/**
 * Patients of each arm for a power.
 * @throws RangeError for a ratio of 1, or figures that cannot be
 */
export function lesionCountSampleSize(plan: LesionCountPlan, power = 0.8): { control: number; treated: number } {
  checkPower(power, plan.alpha)
  const { alpha = 0.05, ratio, allocation = 1 } = plan
  if (ratio === 1) throw new RangeError('arms that do not differ need no end of patients; give a ratio other than 1')
  const { planned, equal } = rateVariances(plan)
  const quantiles = normalQuantile(1 - alpha / 2) * Math.sqrt(equal) + normalQuantile(power) * Math.sqrt(planned)
  const control = Math.ceil((quantiles / Math.log(ratio)) ** 2)
  return { control, treated: Math.ceil(control * allocation) }
}

/** Variance of the log rate ratio times the number of controls: as planned, and if the arms were equal. */
function rateVariances(plan: LesionCountPlan): { planned: number; equal: number } {
  const { control, ratio, dispersion, followUp = 1, allocation = 1, nullVariance = 'planned' } = plan
  if (!(control > 0 && ratio > 0 && dispersion >= 0 && followUp > 0 && allocation > 0))
    throw new RangeError('rates, ratio, follow-up and allocation are above 0, the dispersion is not below it')
  const treated = control * ratio
  const variance = (rate0: number, rate1: number) =>
    (1 / rate0 + 1 / (allocation * rate1)) / followUp + ((1 + allocation) * dispersion) / allocation
  const pooled = (control + allocation * treated) / (1 + allocation)
  const equal = nullVariance === 'planned' ? [control, treated] : [nullVariance === 'control' ? control : pooled]
  return { planned: variance(control, treated), equal: variance(equal[0], equal[equal.length - 1]) }
}

function checkPower(power: number, alpha = 0.05): void {
  if (!(power > alpha && power < 1)) throw new RangeError(`power lies between ${alpha} and 1, not at ${power}`)
}
