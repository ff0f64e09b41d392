/**
 * Labels of a method's second output `structures`, which fills the brain: fluid outside the ventricles, cerebral grey and
 * white matter, ventricles, what lies below the tentorium, and lesions. 0 is outside the brain.
 */
export const structureLabels = { csf: 1, gm: 2, wm: 3, ventricles: 4, infratentorial: 5, lesion: 6 } as const
