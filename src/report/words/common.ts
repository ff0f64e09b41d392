/** Names of contrasts are the same in every language that writes them in Latin letters. */
export const contrastNames: Readonly<Record<string, string>> = {
  flair: 'FLAIR',
  t1: 'T1',
  t2: 'T2',
  pd: 'PD',
  t1gd: 'T1 + Gd',
}
