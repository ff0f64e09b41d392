import { z } from 'zod'
import { type Flag, MethodError, UsageError } from '../errors.js'
import { consensus } from '../evaluate/consensus.js'
import type { LesionMap, Modality, PreparedStudy } from '../volume/study.js'
import { countVoxels, emptyImage, emptyMask, type Image, type Mask, volumeMl } from '../volume/volume.js'
import type { AnySegmentationMethod, MethodEntry } from './define.js'
import { canRunWith, loadMethod, methodEntry, methodList, requireContrasts } from './registry.js'

/** Several methods on one preparation, and what they agree on. */

/** Every unsupervised statistical method that runs with the contrasts given. */
export const allUnsupervised = 'all-unsupervised'

/** True for `all-unsupervised` and for a list of ids, separated by commas. */
export const isPanel = (name: string): boolean => name === allUnsupervised || name.includes(',')

export interface Panel {
  entry: MethodEntry
  method: AnySegmentationMethod
}

/**
 * A panel as one method. Its mask is what the rule makes of the methods' masks, its probability the share of methods that
 * call a voxel lesion, its uncertainty how far they disagree: 0 where all say the same, 1 where one half says otherwise.
 * Further maps: both rules' masks and each method's own. A method that fails is left out with a flag.
 *
 * Its parameters are `rule`, and those of its methods as `ID.NAME`.
 *
 * @throws UsageError for fewer than two methods, an unknown one, or one that cannot run with these contrasts
 */
export async function loadPanel(name: string, given: readonly Modality[]): Promise<Panel> {
  const entries = membersOf(name, given)
  const methods = await Promise.all(entries.map(({ id }) => loadMethod(id)))
  const used = given.filter((modality) =>
    entries.some(({ needs }) => needs.contrasts.some((s) => s.includes(modality))),
  )
  const metadata = {
    id: name,
    title:
      name === allUnsupervised ? 'Consensus of all unsupervised methods' : `Consensus of ${name.replaceAll(',', ', ')}`,
    describe: `Each of ${entries.length} methods labels the same prepared images: ${entries.map(({ id }) => id).join(', ')}. A voxel is lesion where the rule finds them agreed; the share of methods that say so is its probability.`,
    use: {
      for: 'When no single method is to be trusted: what several find independently is rarely wrong.',
      not: 'Not where time counts, and not for what all of its methods miss, such as cortical lesions.',
    },
    citation: {
      text: 'Warfield SK, Zou KH, Wells WM. Simultaneous truth and performance level estimation (STAPLE). IEEE Trans Med Imaging 2004;23:903–921.',
      doi: '10.1109/TMI.2004.828354',
    },
    supervision: entries.every(({ supervision }) => supervision === 'unsupervised') ? 'unsupervised' : 'supervised',
    strategy: 'statistical',
    handling: '3d',
    modalities: [...new Set(entries.flatMap(({ modalities }) => modalities))],
    classifier: 'consensus',
    needs: { contrasts: [used], grid: 'native', bias: 'n4' },
  } as const satisfies Omit<MethodEntry, 'parameters'>
  const params = z.object({
    rule: z
      .enum(['majority', 'staple'])
      .default('majority')
      .describe('how the mask comes of the masks: more than half of the methods, or STAPLE (Warfield et al. 2004)'),
    ...Object.fromEntries(
      methods.flatMap(({ id, params }) =>
        Object.entries(params.shape).map(([key, schema]) => [`${id}.${key}`, schema]),
      ),
    ),
  })
  const method: AnySegmentationMethod = {
    ...metadata,
    params,
    async segment(study, values, context) {
      const flags: Flag[] = []
      const masks = new Map<string, Mask>()
      for (const [i, one] of methods.entries()) {
        context.signal.throwIfAborted()
        const progress = (stage: string, fraction: number) =>
          context.progress(`${one.id}: ${stage}`, (i + fraction) / methods.length)
        progress('Finding lesions', 0)
        try {
          const map = await one.segment(study, ownParams(one.id, values), { ...context, progress })
          masks.set(one.id, map.mask)
          for (const flag of map.flags ?? []) flags.push({ ...flag, message: `${one.id}: ${flag.message}` })
        } catch (error) {
          if (!(error instanceof MethodError)) throw error
          flags.push({
            code: 'method-failed',
            severity: 'warning',
            message: `${one.id} is not part of the consensus: ${error.message}`,
          })
        }
      }
      if (masks.size < 2) throw new MethodError('Fewer than two methods gave a result: there is no consensus.')
      return { ...agreed(masks, study, values.rule as Rule), flags }
    },
  }
  return { entry: { ...metadata, parameters: {} }, method }
}

type Rule = 'majority' | 'staple'

function membersOf(name: string, given: readonly Modality[]): MethodEntry[] {
  if (name === allUnsupervised) {
    const able = methodList.filter(
      (entry) => entry.supervision === 'unsupervised' && entry.strategy === 'statistical' && canRunWith(entry, given),
    )
    if (able.length < 2)
      throw new UsageError(`fewer than two unsupervised methods run with ${given.join(' + ') || 'nothing'}`)
    return able
  }
  const ids = [...new Set(name.split(',').map((id) => id.trim()))].filter((id) => id !== '')
  if (ids.length < 2) throw new UsageError(`--method ${name}: a consensus needs two methods or more`)
  return ids.map((id) => {
    const entry = methodEntry(id)
    requireContrasts(entry, given)
    if (entry.needs.grid !== 'native' || entry.needs.bias !== 'n4')
      throw new UsageError(`--method ${name}: ${id} is prepared otherwise than the rest; run it by itself`)
    return entry
  })
}

const ownParams = (id: string, values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([key]) => key.startsWith(`${id}.`))
      .map(([key, value]) => [key.slice(id.length + 1), value]),
  )

function agreed(masks: ReadonlyMap<string, Mask>, study: PreparedStudy, rule: Rule): LesionMap {
  const raters = [...masks.values()]
  const probability: Image = emptyImage(study.grid)
  for (const { data } of raters)
    for (let i = 0; i < data.length; i++) if (data[i] !== 0) probability.data[i] += 1 / raters.length
  for (let i = 0; i < probability.data.length; i++) probability.data[i] = Math.min(1, probability.data[i])
  const none = raters.every((mask) => countVoxels(mask) === 0)
  const by = (method: Rule): Mask => (none ? emptyMask(study.grid) : consensus(method, raters).labels)
  const [majority, staple] = [by('majority'), by('staple')]
  return {
    mask: rule === 'staple' ? staple : majority,
    probability,
    uncertainty: { ...probability, data: probability.data.map((p) => 1 - Math.abs(2 * p - 1)) },
    figures: Object.fromEntries([...masks].map(([id, mask]) => [`${id}Ml`, volumeMl(mask)])),
    maps: {
      consensus_majority: majority,
      consensus_staple: staple,
      ...Object.fromEntries([...masks].map(([id, mask]) => [`mask_${id}`, mask])),
    },
  }
}
