import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A labelled development scan of ../shared/data. */
export interface LabelledCase {
  id: string
  centre: 'ljubljana' | 'mslesseg' | 'tabriz'
  /** Visits of one person share it: splits are by patient. */
  patient: string
  flair: string
  t1: string
  mask: string
}

const data = fileURLToPath(new URL('../../shared/data/', import.meta.url))

/** The 15 labelled scans (12 patients, three centres), or none where the data is not on this machine. */
export function labelledCases(): LabelledCase[] {
  if (!existsSync(data)) return []
  const ljubljana = ['07', '19'].map((n) => mni('ljubljana', `sub-${n}`, `lj${n}`))
  const mslesseg = [
    ['14', '1'],
    ['14', '2'],
    ['14', '3'],
    ['18', '1'],
  ].map(([n, visit]) => mni('mslesseg', `sub-${n}`, `ms${n}v${visit}`, `ses-${visit}`))
  const tabriz = Array.from({ length: 9 }, (_, i): LabelledCase => {
    const subject = `sub-0${i + 1}`
    const raw = `${data}tabriz/${subject}/anat/${subject}`
    return {
      id: `tb0${i + 1}`,
      centre: 'tabriz',
      // sub-06 and sub-09 show the same head (ventricles and gyri fit after a rigid move): one patient.
      patient: i === 8 ? 'tb06' : `tb0${i + 1}`,
      flair: `${raw}_FLAIR.nii.gz`,
      t1: `${raw}_T1w.nii.gz`,
      mask: `${data}tabriz/derivatives/expert/${subject}/anat/${subject}_label-lesion_mask.nii.gz`,
    }
  })
  return [...ljubljana, ...mslesseg, ...tabriz]
}

function mni(centre: 'ljubljana' | 'mslesseg', subject: string, id: string, session?: string): LabelledCase {
  const folder = [subject, session, 'anat'].filter(Boolean).join('/')
  const stem = [subject, session, 'space-MNI152'].filter(Boolean).join('_')
  const raw = `${data}${centre}/${folder}/${stem}`
  return {
    id,
    centre,
    patient: id.slice(0, 4),
    flair: `${raw}_FLAIR.nii.gz`,
    t1: `${raw}_T1w.nii.gz`,
    mask: `${data}${centre}/derivatives/expert/${folder}/${stem}_label-lesion_mask.nii.gz`,
  }
}
