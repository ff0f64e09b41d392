/** The few real parameters that `bench/accuracy.ts` may choose, leaving one patient out. */
export const parameterGrids: Readonly<Record<string, readonly Record<string, number>[]>> = {}
