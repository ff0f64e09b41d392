/** One label of an ITK-SNAP label description. */
export interface SnapLabel {
  /** The voxel value. */
  index: number
  /** Red, green, blue, 0–255. */
  colour: readonly [number, number, number]
  name: string
}

/**
 * A label description as ITK-SNAP saves and loads it (Segmentation › Import Label Descriptions), "Clear Label" for 0 first.
 * Quotes within names become apostrophes: the format has no way to write them.
 */
export function writeSnapLabels(labels: readonly SnapLabel[]): string {
  const clear = '    0     0    0    0        0  0  0    "Clear Label"'
  const line = ({ index, colour, name }: SnapLabel) =>
    `${String(index).padStart(5)}  ${colour.map((c) => String(Math.round(c)).padStart(4)).join(' ')}        1  1  1    "${name.replace(/"/g, '’').replace(/\s+/g, ' ')}"`
  return [...header, clear, ...labels.map(line), ''].join('\n')
}

const header = [
  '################################################',
  '# ITK-SnAP Label Description File',
  '# File format: ',
  '# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL',
  '# Fields: ',
  '#    IDX:   Zero-based index ',
  '#    -R-:   Red color component (0..255)',
  '#    -G-:   Green color component (0..255)',
  '#    -B-:   Blue color component (0..255)',
  '#    -A-:   Label transparency (0.00 .. 1.00)',
  '#    VIS:   Label visibility (0 or 1)',
  '#    MSH:   Label mesh visibility (0 or 1)',
  '#  LABEL:   Label description ',
  '################################################',
]
