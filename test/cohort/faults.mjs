// Loaded into every process of a run with NODE_OPTIONS=--import: injects faults into the workers of `lesionwise bids`, as
// the JSON file LESIONWISE_FAULTS says (fault by visit), and notes each visit that is brought in whole in LESIONWISE_DONE.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const [, script = '', argument] = process.argv
if (script.endsWith('bids-worker.js')) {
  const { subject, session } = JSON.parse(argument)
  const id = `sub-${subject}${session === undefined ? '' : `_ses-${session}`}`
  const fault = JSON.parse(fs.readFileSync(process.env.LESIONWISE_FAULTS, 'utf8'))[id]
  const { writeFile, rename } = fs.promises
  const temporary = (path) => String(path).includes('.lesionwise-new-')
  let renamed = 0

  fs.promises.writeFile = async (path, ...rest) => {
    if (temporary(path) && fault === 'disk full')
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    if (temporary(path) && fault === 'killed early') process.kill(process.pid, 'SIGKILL')
    return await writeFile(path, ...rest)
  }
  fs.promises.rename = async (from, to) => {
    const ours = !temporary(to)
    if (ours && fault === 'killed late' && ++renamed === 4) process.kill(process.pid, 'SIGKILL')
    await rename(from, to)
    if (ours && String(to).endsWith('/provenance.json')) fs.appendFileSync(process.env.LESIONWISE_DONE, `${id}\n`)
  }
  syncBuiltinESMExports()
}
