const key = 'lesionwise-convention'

/** Whether the patient's right is on the left of the picture: as radiologists look, and as the report shows it. */
export const isRadiological = (): boolean => localStorage.getItem(key) !== 'neurological'

export const keepRadiological = (on: boolean): void => localStorage.setItem(key, on ? 'radiological' : 'neurological')
