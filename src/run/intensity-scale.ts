import { readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { InputError, RunError, UsageError } from '../errors.js'
import { readJson } from '../formats/json.js'
import { type NyulScale, trainNyul } from '../preprocess/normalise.js'
import { type Modality, modalities } from '../volume/study.js'
import { type Image, type Mask, sameGrid } from '../volume/volume.js'
import { brainMaskIn, readImage, readMask, visitFrom } from './inputs.js'

/** Nyúl's standard scale of each contrast. */
export type IntensityScale = Partial<Record<Modality, NyulScale>>

/**
 * Learns Nyúl's standard scale (Nyúl and Udupa 1999) from folders that `preprocess` wrote, for every contrast that two of
 * them or more have.
 *
 * @param out JSON file to write; left out, nothing is written
 * @throws UsageError, InputError (a folder without brain mask or images), RunError
 */
export async function trainIntensityScale(
  folders: readonly string[],
  out?: string,
): Promise<{ scale: IntensityScale; images: Partial<Record<Modality, number>> }> {
  const found: Partial<Record<Modality, { images: Image[]; masks: Mask[] }>> = {}
  for (const folder of folders) {
    const maskFile = await brainMaskIn(folder)
    if (!maskFile) throw new InputError(folder, 'holds no brain mask', 'give folders that `preprocess` wrote')
    const { image: mask } = await readMask(maskFile, 'brain mask')
    for (const [modality, source] of Object.entries(await visitFrom(folder)) as [Modality, string][]) {
      const { image } = await readImage(source, modality)
      if (!sameGrid(image, mask, 0.01))
        throw new InputError(source, 'is not on the grid of the brain mask', 'give folders that `preprocess` wrote')
      const these = (found[modality] ??= { images: [], masks: [] })
      these.images.push(image)
      these.masks.push(mask)
    }
  }
  const scale: IntensityScale = {}
  const images: Partial<Record<Modality, number>> = {}
  for (const modality of modalities) {
    const these = found[modality]
    if (!these || these.images.length < 2) continue
    scale[modality] = trainNyul(these.images, these.masks)
    images[modality] = these.images.length
  }
  if (Object.keys(scale).length === 0)
    throw new UsageError('no contrast is in two of the folders or more: there is nothing to average')
  if (out !== undefined) {
    try {
      await writeFile(`${out}.new`, `${JSON.stringify(scale, null, 2)}\n`)
      await rename(`${out}.new`, out)
    } catch (cause) {
      throw new RunError(`${out}: cannot be written (${(cause as Error).message.split(',')[0]})`, { cause })
    }
  }
  return { scale, images }
}

const schema = z.partialRecord(
  z.enum(['flair', 't1', 't2', 'pd', 't1gd']),
  z.object({ percentages: z.array(z.number()).min(2), values: z.array(z.number()).min(2), images: z.number() }),
)

/** Reads what `trainIntensityScale` wrote. @throws InputError */
export async function readIntensityScale(path: string): Promise<IntensityScale> {
  const fix = 'give the file that `lesionwise intensity-scale` wrote'
  const bytes = await readFile(path).catch((cause) => {
    throw new InputError(path, 'cannot be read', fix, { cause })
  })
  return readJson(bytes, schema, { source: path, what: 'an intensity scale', fix }) as IntensityScale
}
