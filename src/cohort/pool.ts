/**
 * Runs `work` on each item, `jobs` at a time, in their order. The first error stops the rest by the signal that each
 * gets, and is thrown once all have ended.
 */
export async function inParallel<T>(
  items: readonly T[],
  jobs: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const queue = [...items]
  let failed: { error: unknown } | undefined
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined && !either.aborted; item = queue.shift())
      try {
        await work(item, either)
      } catch (error) {
        failed ??= { error }
        stop.abort()
      }
  }
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker))
  signal.throwIfAborted()
  if (failed) throw failed.error
}
