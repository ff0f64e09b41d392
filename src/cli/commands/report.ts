import { Command, Option } from 'commander'
import type { Language } from '../../report/words/languages.js'
import { reportLanguages } from '../languages.js'
import { interruptSignal } from '../progress.js'

interface Flags {
  flair?: string
  t1?: string
  html?: string
  pdf?: string
  lang: Language
  earlier?: string
  date?: string
  earlierDate?: string
  json?: boolean
  quiet?: boolean
  threads?: number
}

export function reportCommand(): Command {
  return new Command('report')
    .description(
      'Write the report of a result anew, as page and PDF: another language, compared with an earlier visit.',
    )
    .argument('<result>', 'folder that `lesionwise segment` wrote, or of one visit that `bids` wrote')
    .option('--flair <file>', 'the FLAIR of that run, for the pictures (default: its path, if --keep-paths kept it)')
    .option('--t1 <file>', 'the T1 of that run, to show how it fits the FLAIR (default: likewise)')
    .option('--html <file>', 'page to write (default: report.html in the result; left as it is without the FLAIR)')
    .option('--pdf <file>', 'PDF to write (default: report.pdf in the result)')
    .addOption(new Option('--lang <code>', 'language of the report').choices([...reportLanguages]).default('en'))
    .option('--earlier <folder>', 'result of an earlier visit: counts and volumes then and now, no matching of lesions')
    .option('--date <text>', 'date of the visit, to be printed')
    .option('--earlier-date <text>', 'date of the earlier visit, to be printed')
    .addHelpText(
      'after',
      `
Masks and figures stay as they are. What methods say of themselves is in English in every language.

Examples:
  lesionwise report result --flair FLAIR.nii.gz
  lesionwise report result --flair FLAIR.nii.gz --lang de --pdf bericht.pdf --html bericht.html
  lesionwise report month12 --flair F.nii.gz --earlier month0 --date 2026-05-04 --earlier-date 2025-05-02`,
    )
    .action(run)
}

async function run(result: string, flags: Flags): Promise<void> {
  const signal = interruptSignal()
  const { reportResult } = await import('../../run/report.js')
  const { lang, quiet, json, ...rest } = flags
  const made = await reportResult({
    ...rest,
    result,
    language: lang,
    signal,
    onNote: (text) => {
      if (!quiet) process.stderr.write(`Note: ${text}\n`)
    },
  })
  if (json) process.stdout.write(`${JSON.stringify(made)}\n`)
  else process.stdout.write(`${[made.html, made.pdf].filter((path) => path !== undefined).join('\n')}\n`)
}
