import type { Flag } from '../errors.js'
import type { Modality } from '../volume/study.js'
import type { Image } from '../volume/volume.js'

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
