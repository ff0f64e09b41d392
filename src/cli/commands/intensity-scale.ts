import { Command } from 'commander'

export function intensityScaleCommand(): Command {
  return new Command('intensity-scale')
    .description(
      "Learn Nyúl's standard intensity scale from prepared visits, for `preprocess --steps +normalise=nyul`.",
    )
    .argument('<folders...>', 'folders that `preprocess` wrote, without normalisation')
    .requiredOption('--out <file>', 'JSON file for the scale')
    .addHelpText(
      'after',
      `
Example:
  lesionwise intensity-scale prepared/sub-01 prepared/sub-02 prepared/sub-03 --out scale.json`,
    )
    .action(async (folders: string[], { out, json }: { out: string; json?: boolean }) => {
      const { trainIntensityScale } = await import('../../run/intensity-scale.js')
      const { scale, images } = await trainIntensityScale(folders, out)
      if (json) process.stdout.write(`${JSON.stringify(scale)}\n`)
      else
        for (const [modality, n] of Object.entries(images)) process.stdout.write(`${modality}: scale of ${n} images\n`)
    })
}
