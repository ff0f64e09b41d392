/** The few real parameters that `bench/accuracy.ts` may choose, leaving one patient out. */
export const parameterGrids: Readonly<Record<string, readonly Record<string, number>[]>> = {
  roura2015: product({ alpha: [2.25, 2.5, 3], edge: [0.6, 0.66] }),
  schmidt2012: product({ kappa: [0.2, 0.3, 0.5, 0.8], cut: [0.5, 0.7, 0.9] }),
}

/** Every combination of the values. */
function product(values: Record<string, readonly number[]>): Record<string, number>[] {
  return Object.entries(values).reduce<Record<string, number>[]>(
    (points, [name, list]) => points.flatMap((point) => list.map((value) => ({ ...point, [name]: value }))),
    [{}],
  )
}
