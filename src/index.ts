/** The programmatic interface of Lesionwise. */
export type { Flag } from './errors.js'
export { InputError, LesionwiseError, MethodError, RunError, UsageError } from './errors.js'
export type { ImageSource, Progress, Provenance, SegmentOptions, SegmentResult } from './run/options.js'
export { segment } from './run/segment.js'
