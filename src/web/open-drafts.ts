/**
 * Which drafts are open in a tab of this browser: each tab holds a lock named after its draft. The browser gives the lock
 * back when the tab ends, however it ends.
 */
const lockOf = (tab: string): string => `lesionwise-draft-${tab}`

/** Only pages of this machine, or under TLS, have locks; elsewhere no draft counts as open. */
const locks = (): LockManager | undefined => navigator.locks

/** Says that a draft is open here. @returns what takes that back */
export function holdDraft(tab: string): () => void {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  void locks()?.request(lockOf(tab), () => held)
  return release
}

/** Those of some drafts that a tab has open. */
export async function openAmong(tabs: readonly string[]): Promise<ReadonlySet<string>> {
  const { held = [] } = (await locks()?.query()) ?? {}
  const names = new Set(held.map(({ name }) => name))
  return new Set(tabs.filter((tab) => names.has(lockOf(tab))))
}
