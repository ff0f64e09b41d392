import type { Flag } from '../errors.js'
import type { Modality } from '../volume/study.js'
import type { Image } from '../volume/volume.js'

/** Thresholds from grey matter upwards take it to be the brightest tissue of a FLAIR. */
export const greyNotBrighter: Flag = {
  code: 'flair-grey-not-brighter',
  severity: 'warning',
  message: 'Grey matter is not brighter than white matter on this FLAIR; the threshold may not fit.',
}

export const greyWithoutSpread: Flag = {
  code: 'flair-without-spread',
  severity: 'warning',
  message: 'FLAIR has no spread in grey matter, or there is no grey matter: nothing was looked for.',
}

/** A contrast that a paper asks for, and the image that takes its part. */
export interface Channel {
  /** The contrast that the paper asks for. */
  role: Modality
  /** What the image is: another contrast than `role` when it stands in. */
  modality: Modality
  image: Image
}

/**
 * The images that take the parts a paper asks for. FLAIR stands in for a missing T2 or PD, in which lesions are bright
 * too; it is not given twice. What else is missing is left out. Each of the two is said in a flag.
 */
export function channelsFor(
  images: Partial<Record<Modality, Image>>,
  roles: readonly Modality[],
): { channels: Channel[]; flags: Flag[] } {
  const channels: Channel[] = []
  const flags: Flag[] = []
  for (const role of roles) {
    const own = images[role]
    const flair = images.flair
    if (own) channels.push({ role, modality: role, image: own })
    else if (
      (role === 't2' || role === 'pd') &&
      flair &&
      !roles.includes('flair') &&
      !channels.some((c) => c.image === flair)
    ) {
      channels.push({ role, modality: 'flair', image: flair })
      flags.push({
        code: `flair-for-${role}`,
        severity: 'info',
        message: `No ${role.toUpperCase()} image was given; FLAIR stands in for it.`,
      })
    } else
      flags.push({
        code: `without-${role}`,
        severity: 'info',
        message: `The method was made for ${role.toUpperCase()} too, which was not given; it ran without it.`,
      })
  }
  return { channels, flags }
}

/** What the flags of `channelsFor` say: which contrast stood in for which, `nothing` where a method did without. */
export function standInsOf(codes: readonly string[]): { given: string; for: string }[] {
  return codes.flatMap((code) => {
    const [, given = 'nothing', role] = code.match(/^(?:(flair)-for|without)-(t1|t2|pd|flair)$/) ?? []
    return role ? [{ given, for: role }] : []
  })
}
