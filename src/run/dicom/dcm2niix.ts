import { readFile } from 'node:fs/promises'
import { InputError, RunError } from '../../errors.js'
import { startWorker } from '../../platform/index.js'

/** One volume that dcm2niix made: NIfTI, not compressed, and its sidecar. */
export interface Converted {
  /** As dcm2niix named it: `_Tilt` and `_Eq` at the end say what it corrected. */
  name: string
  nifti: Uint8Array
  sidecar: Record<string, unknown>
}

/**
 * Converts the files of one volume with dcm2niix 1.0.20241231 (WebAssembly, with JPEG-LS and JPEG 2000) in a thread of
 * its own, so that damaged files can neither crash nor hold up this process.
 *
 * @param files bytes of DICOM files of any transfer syntax but deflated
 * @param source how errors name the series: must not name a person
 * @throws InputError when nothing comes out, or nothing within the time; RunError when dcm2niix cannot be started
 */
export async function convertStack(
  files: readonly Uint8Array[],
  source: string,
  { signal, seconds = 300 }: { signal?: AbortSignal; seconds?: number } = {},
): Promise<Converted[]> {
  const total = files.reduce((sum, { byteLength }) => sum + byteLength, 0)
  if (total > 1.2e9)
    throw new InputError(
      source,
      `its files take ${(total / 1e9).toFixed(1)} GB, too much at once`,
      'give one series alone',
    )
  const { url, wasm } = await program()
  const worker = startWorker(script)
  worker.hold(true)
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const late = setTimeout(
        () => reject(new InputError(source, `was not converted within ${seconds} s`, 'send the series again')),
        seconds * 1000,
      )
      const stop = () => reject(signal?.reason)
      signal?.addEventListener('abort', stop, { once: true })
      const done = () => {
        clearTimeout(late)
        signal?.removeEventListener('abort', stop)
      }
      worker.onMessage((message) => {
        done()
        resolve(message as Answer)
      })
      worker.onError((cause) => {
        done()
        reject(unusable(source, cause))
      })
      if (signal?.aborted) stop()
      worker.post({ url, wasm, files })
    })
    if (answer.failed !== undefined) throw unusable(source, answer.failed)
    return volumesOf(answer.files, source)
  } finally {
    worker.stop()
  }
}

interface Answer {
  failed?: string
  files: { name: string; bytes: Uint8Array }[]
}

/** What dcm2niix prints may hold names and paths: it is kept as the cause, and not shown. */
const unusable = (source: string, cause: unknown) =>
  new InputError(source, 'dcm2niix could not convert it', 'send the series again, uncompressed if it is compressed', {
    cause,
  })

function volumesOf(files: Answer['files'], source: string): Converted[] {
  const volumes: Converted[] = []
  for (const { name, bytes } of files) {
    if (!name.endsWith('.nii')) continue
    const stem = name.slice(0, -4)
    const json = files.find((file) => file.name === `${stem}.json`)
    let sidecar: Record<string, unknown> = {}
    try {
      if (json) sidecar = JSON.parse(new TextDecoder().decode(json.bytes)) as Record<string, unknown>
    } catch {
      // A sidecar that is no JSON says nothing; the image stands without it.
    }
    volumes.push({ name: stem, nifti: bytes, sidecar })
  }
  if (volumes.length === 0) throw unusable(source, 'no image came out')
  return volumes
}

let loaded: Promise<{ url: string; wasm: Uint8Array }> | undefined

function program(): Promise<{ url: string; wasm: Uint8Array }> {
  loaded ??= (async () => {
    try {
      // The package exports only its page for browsers; the program lies beside it.
      const beside = import.meta.resolve('@niivue/dcm2niix')
      const url = new URL('dcm2niix.jpeg.js', beside).href
      return { url, wasm: new Uint8Array(await readFile(new URL('dcm2niix.jpeg.wasm', beside))) }
    } catch (cause) {
      throw new RunError('dcm2niix is not installed; npm install @niivue/dcm2niix@1.2.0', { cause })
    }
  })()
  return loaded
}

const script = `
receive(async ({ url, wasm, files }) => {
  const said = []
  try {
    const { default: create } = await import(url)
    const program = await create({
      noInitialRun: true,
      wasmBinary: wasm,
      print: (line) => said.push(line),
      printErr: (line) => said.push(line),
    })
    program.FS.mkdir('/in')
    program.FS.mkdir('/made')
    files.forEach((bytes, i) => program.FS.writeFile('/in/' + String(i).padStart(6, '0') + '.dcm', bytes))
    const code = program.callMain(['-z', 'n', '-b', 'y', '-ba', 'y', '-x', 'n', '-f', 'v', '-o', '/made', '/in'])
    const names = program.FS.readdir('/made').filter((name) => /\\.(nii|json)$/.test(name))
    const made = names.map((name) => ({ name, bytes: program.FS.readFile('/made/' + name) }))
    const some = names.some((name) => name.endsWith('.nii'))
    send({ failed: some ? undefined : 'exit ' + code + ': ' + said.slice(-3).join(' | '), files: made })
  } catch (error) {
    send({ failed: String(error) + ' ' + said.slice(-3).join(' | '), files: [] })
  }
})
`
