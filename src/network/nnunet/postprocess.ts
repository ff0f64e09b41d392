import { keepComponents, labelComponents } from '../../volume/components.js'
import { countVoxels, type Mask, maskWhere } from '../../volume/volume.js'

/** A label, or the labels that a region is the union of. */
export type LabelGroup = readonly number[]

/** A prediction of the cross-validation and the reference it is judged by, as label maps on one grid. */
export interface JudgedCase {
  readonly prediction: Mask
  readonly reference: Mask
}

/**
 * Keeps, of the voxels of some labels taken together, the largest component (26-connected; all of the largest ones when
 * several are as large); the others become background.
 */
export function keepLargest(prediction: Mask, labels: LabelGroup): Mask {
  const group = maskWhere(prediction, (value) => labels.includes(value))
  const most = labelComponents(group, 26).sizes.reduce((a, b) => Math.max(a, b), 0)
  const kept = keepComponents(group, 26, (_, size) => size === most)
  const data = prediction.data.map((value, i) => (group.data[i] !== 0 && kept.data[i] === 0 ? 0 : value))
  return { ...prediction, data }
}

/**
 * nnU-Net's choice of post-processing on cross-validated predictions (Isensee et al. 2021): keep the largest component
 * of the whole foreground if that raises the mean Dice and lowers no label's; then, where there are several labels or
 * regions, of each in turn if that raises its own.
 *
 * @param groups the foreground's labels, each by itself, or its regions
 * @returns the groups to apply `keepLargest` to, in order; empty where it does not help, as with many lesions
 */
export function choosePostprocessing(cases: readonly JudgedCase[], groups: readonly LabelGroup[]): LabelGroup[] {
  let current = cases
  const chosen: LabelGroup[] = []
  const after = (labels: LabelGroup) =>
    current.map(({ prediction, reference }) => ({ prediction: keepLargest(prediction, labels), reference }))
  const foreground = [...new Set(groups.flat())]
  const [before, then] = [current, after(foreground)].map((all) => groups.map((group) => meanDice(all, group)))
  const better = mean(then) > mean(before) && !then.some((dice, i) => dice < before[i])
  if (better) {
    chosen.push(foreground)
    current = after(foreground)
  }
  if (groups.length === 1) return chosen
  for (const group of groups) {
    const changed = after(group)
    if (!(meanDice(changed, group) > meanDice(current, group))) continue
    chosen.push(group)
    current = changed
  }
  return chosen
}

export const applyPostprocessing = (prediction: Mask, steps: readonly LabelGroup[]): Mask =>
  steps.reduce(keepLargest, prediction)

/** Mean Dice of a group over the cases where prediction or reference have it; NaN where none has. */
function meanDice(cases: readonly JudgedCase[], group: LabelGroup): number {
  const scores = cases.map(({ prediction, reference }) => {
    const [a, b] = [prediction, reference].map((map) => maskWhere(map, (value) => group.includes(value)))
    const both = countVoxels(maskWhere(a, (value, i) => value !== 0 && b.data[i] !== 0))
    return (2 * both) / (countVoxels(a) + countVoxels(b))
  })
  return mean(scores.filter((score) => !Number.isNaN(score)))
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
