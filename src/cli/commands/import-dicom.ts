import { Command } from 'commander'
import type { ImportDicomResult } from '../../run/import-dicom.js'
import { interruptSignal, ProgressLine } from '../progress.js'
import { aligned } from '../table.js'

interface Flags {
  out?: string
  map?: string[]
  subject?: string
  session?: string
  fromPacs?: string
  study?: string
  patientId?: string
  deface?: boolean
  dryRun?: boolean
  keepMap?: string
  json?: boolean
  quiet?: boolean
}

export function importDicomCommand(): Command {
  return new Command('import-dicom')
    .description(
      'Bring the FLAIR, T1, T2, PD and T1 with contrast agent of DICOM studies into BIDS, without identities.',
    )
    .argument('[folder]', 'DICOM files, also in folders below it; any mix of series, studies and persons')
    .option('--out <folder>', 'BIDS folder to write or to add to')
    .option(
      '--from-pacs <url>',
      'bring the study from a PACS by DICOMweb instead, e.g. http://localhost:8042/dicom-web',
    )
    .option('--study <uid>', 'with --from-pacs: its StudyInstanceUID')
    .option('--patient-id <id>', 'with --from-pacs: all MR studies of this PatientID')
    .option('--deface', 'cut the faces off; where that is not sure, nothing is written')
    .option('--dry-run', 'only list the series, what each is taken for, and why')
    .option('--map <series=role...>', 'what a series is: flair, t1, t2, pd, t1gd or skip, by the number in the list')
    .option('--subject <label>', 'label of the person (default: sub-001 and on)')
    .option('--session <label>', 'label of the session (default: none for one study, else ses-01 and on)')
    .option('--keep-map <file>', 'keep who is who in this file, to be guarded; later imports then use the same labels')
    .addHelpText(
      'after',
      `
Names, numbers, dates and UIDs of the person are left out: dates are shifted by the same number of days, UIDs
hashed with a salt. Faces stay in the images without --deface. Series with missing slices are never taken.
User and password of a PACS: in the address, or in LESIONWISE_PACS_AUTH (user:password, or Bearer TOKEN).

Examples:
  lesionwise import-dicom cd/DICOM --dry-run
  lesionwise import-dicom cd/DICOM --out bids --map 5=flair 9=skip
  lesionwise import-dicom visit2 --out bids --keep-map ~/keys.json`,
    )
    .action(run)
}

async function run(folder: string | undefined, flags: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { importDicom } = await import('../../run/import-dicom.js')
  const made = await importDicom({
    ...flags,
    folder,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())
  if (flags.json) process.stdout.write(`${JSON.stringify(made)}\n`)
  else process.stdout.write(listing(made))
}

function listing({ series, dryRun }: ImportDicomResult): string {
  const rows = series.map(({ id, subject, session, images, role, chosen, file, why }) => [
    id,
    `sub-${subject}${session ? ` ses-${session}` : ''}`,
    String(images),
    role ?? '–',
    file ?? (chosen ? 'yes' : 'no'),
    why,
  ])
  return `${aligned([['series', 'visit', 'images', 'taken as', dryRun ? 'use' : 'file', 'why'], ...rows], 6).join('\n')}\n`
}
