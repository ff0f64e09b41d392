import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonOf, runScript } from '../cohort/processes.js'
import { InputError, RunError } from '../errors.js'
import { readNifti, readNiftiMask } from '../formats/nifti.js'
import type { RegisterResult } from '../run/register.js'
import { resampleMask } from '../volume/resample.js'
import type { Image, Mask } from '../volume/volume.js'
import type { OpenedCase } from './opened.js'

/** Another visit's FLAIR and mask on the grid of this one. */
export interface Aligned {
  image: Image
  mask: Mask
  /** Whether the two heads lie on each other; if not, what differs says little. */
  trusted: boolean
}

/**
 * Brings another visit onto this one, by a rigid registration of their FLAIRs in a process of its own.
 *
 * @param mask bytes of the other's mask, in any version
 * @throws InputError without both FLAIRs, RunError when the registration fails
 */
export async function alignVisit(
  one: OpenedCase,
  other: OpenedCase,
  mask: Uint8Array,
  signal: AbortSignal,
): Promise<Aligned> {
  const [fixed, moving] = [one, other].map(({ id, images: { flair } }) => {
    if (flair === undefined) throw new InputError(id, 'has no FLAIR that is known', 'give it with --flair or --raw')
    return flair
  })
  const folder = await mkdtemp(join(tmpdir(), 'lesionwise-visits-'))
  try {
    const ended = await runScript(
      'cli/main.js',
      ['register', '--quiet', '--fixed', fixed, '--moving', moving, '--out', folder],
      { signal },
    )
    if (ended.code !== 0) throw new RunError(`${other.id}: cannot be aligned with ${one.id}: ${reasonOf(ended)}`)
    const { map, trusted } = JSON.parse(await readFile(join(folder, 'registration.json'), 'utf8')) as RegisterResult
    const { image } = await readNifti(await readFile(join(folder, 'moved.nii.gz')), other.id)
    return {
      image,
      mask: await resampleMask(await readNiftiMask(mask, other.id), image, { map, method: 'linear' }),
      trusted,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
