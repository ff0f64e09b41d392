import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { writeNifti } from '../../src/formats/nifti.js'
import type { Image, Mask } from '../../src/volume/volume.js'
import { type PhantomLesion, phantomImage, phantomLesionMask } from '../phantom.js'
import { lesionwise } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'lesionwise-train-'))
const at = (name: string) => join(folder, name)
after(() => rm(folder, { recursive: true, force: true }))

const quick = { features: [2, 4], size: 16, batch: 1, steps: 4, folds: 2, checkEvery: 2, checkpointEvery: 2 }
/** Scans of two people that differ in their lesions. */
const people: [string, PhantomLesion[]][] = [
  ['a', ['PV1', 'SC1', 'BH1']],
  ['b', ['PV2', 'SC2', 'IT1']],
]
const list = async (name: string, rows: string[][]) => {
  writeFileSync(
    at(name),
    `${[['id', 'flair', 't1', 'mask', 'group'], ...rows].map((row) => row.join('\t')).join('\n')}\n`,
  )
  return at(name)
}
const save = async (name: string, image: Image | Mask) => writeFileSync(at(name), await writeNifti(image))
const row = (id: string, mask = `${id}-mask.nii.gz`, flair = `${id}-flair.nii.gz`) => [
  id,
  flair,
  `${id}-t1.nii.gz`,
  mask,
  id,
]
const train = (data: string, out: string, more: string[] = []) =>
  lesionwise(['train', '--data', data, '--out', at(out), '--config', at('quick.json'), '--work', at('work'), ...more])

before(async () => {
  writeFileSync(at('quick.json'), JSON.stringify(quick))
  for (const [i, [id, lesions]] of people.entries()) {
    await save(`${id}-flair.nii.gz`, phantomImage({ contrast: 'flair', seed: i + 1, lesions }))
    await save(`${id}-t1.nii.gz`, phantomImage({ contrast: 't1', seed: i + 1, lesions }))
    await save(`${id}-mask.nii.gz`, phantomLesionMask(lesions))
  }
  const flair = phantomImage({ contrast: 'flair' })
  await save('nan-flair.nii.gz', { ...flair, data: flair.data.map((v, i) => (i % 5 < 3 ? Number.NaN : v)) })
  await save('few-flair.nii.gz', { ...flair, data: flair.data.map((v, i) => (i === 3 ? Number.NaN : v)) })
  await save('small-mask.nii.gz', { dims: [4, 4, 4], affine: flair.affine, data: new Uint8Array(64).fill(1) })
  await save('none-mask.nii.gz', { ...phantomLesionMask(), data: new Uint8Array(flair.data.length) })
  await list('both.tsv', [row('a'), row('b')])
})

/** Runs it and checks that it ends with one line, and that nothing but preparations was left behind. */
async function refused(data: string, pattern: RegExp, more: string[] = [], code = 3) {
  const ran = await train(data, 'refused', more)
  assert.equal(ran.code, code, ran.stderr)
  const lines = ran.stderr
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('lesionwise:') || /error/i.test(line))
  assert.equal(lines.length, 1, ran.stderr)
  assert.match(lines[0], pattern)
  assert.doesNotMatch(ran.stderr, /\n\s+at /)
  const left = existsSync(at('refused')) ? readdirSync(at('refused')) : []
  assert.deepEqual(
    left.filter((name) => !name.startsWith('fold-') && name !== 'work'),
    [],
  )
}

test('NaN in an image, a mask on another grid, a mask that is not there: the file is named', async () => {
  await refused(await list('nan.tsv', [row('a'), row('b', undefined, 'nan-flair.nii.gz')]), /nan-flair\.nii\.gz.*NaN/)
  await refused(await list('grid.tsv', [row('a', 'small-mask.nii.gz')]), /small-mask\.nii\.gz.*another grid/)
  await refused(await list('gone.tsv', [row('a', 'gone.nii.gz')]), /gone\.nii\.gz/)
})

test('a few voxels of NaN are left out, and it is said', async () => {
  const ran = await train(await list('few.tsv', [row('a'), row('b', undefined, 'few-flair.nii.gz')]), 'few')
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stderr, /b: FLAIR: 1 voxels .*NaN or infinite/)
})

test('not one lesion in any mask is refused; a scan without lesions beside others is not', async () => {
  await refused(await list('none.tsv', [row('a', 'none-mask.nii.gz')]), /not one of the masks holds a lesion/)
  const ran = await train(await list('some.tsv', [row('a'), row('b', 'none-mask.nii.gz')]), 'some')
  assert.equal(ran.code, 0, ran.stderr)
})

test('centres left out whole: each scan is scored by a network that has seen the other centre', async () => {
  const withCentre = (name: string, centres: readonly string[]) => {
    const rows = [row('a'), row('b')].map((cells, i) => [...cells, centres[i]])
    const lines = [['id', 'flair', 't1', 'mask', 'group', 'centre'], ...rows]
    writeFileSync(at(name), `${lines.map((cells) => cells.join('\t')).join('\n')}\n`)
    return at(name)
  }
  const ran = await train(withCentre('centres.tsv', ['Basel', 'Rome']), 'centres', ['--leave-out', 'centre'])
  assert.equal(ran.code, 0, ran.stderr)
  const card = JSON.parse(readFileSync(join(at('centres'), 'model.json'), 'utf8'))
  assert.equal(card.validation[0].split, 'each centre left out')
  assert.deepEqual(Object.keys(card.validation[0].centres), ['Basel', 'Rome'])
  const more = ['--leave-out', 'centre']
  await refused(at('both.tsv'), /both\.tsv.*does not say at which centre a was scanned/, more)
  await refused(withCentre('alike.tsv', ['Basel', 'Basel']), /alike\.tsv.*one centre alone \(Basel\)/, more)
})

test('one scan trains without validation, and says so', async () => {
  const ran = await train(await list('one.tsv', [row('a')]), 'one')
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stderr, /nothing can be left out/)
  assert.match(ran.stdout, /Nothing was left out, so there is no score/)
})

test('settings and files that will not do', async () => {
  writeFileSync(at('odd.json'), '{"stepz": 3}')
  const odd = await lesionwise(['train', '--data', at('both.tsv'), '--out', at('odd'), '--config', at('odd.json')])
  assert.equal(odd.code, 2)
  assert.match(odd.stderr, /odd\.json: .*stepz/)
  writeFileSync(at('broken.json'), '{"steps": ')
  const broken = await lesionwise([
    'train',
    '--data',
    at('both.tsv'),
    '--out',
    at('odd'),
    '--config',
    at('broken.json'),
  ])
  assert.equal(broken.code, 3)
  assert.match(broken.stderr, /broken\.json.*is not JSON/)
  const preset = await lesionwise(['train', '--data', at('both.tsv'), '--out', at('odd'), '--preset', 'huge'])
  assert.equal(preset.code, 2)
  assert.match(preset.stderr, /no preset "huge"; the presets are multislice/)
  assert.ok(!existsSync(at('odd')))
})

test('a model that is foreign, damaged or of another kind', async () => {
  assert.equal((await train(at('both.tsv'), 'good')).code, 0)
  const copy = (name: string, change: (file: string) => void) => {
    mkdirSync(at(name))
    for (const file of ['model.json', 'weights.safetensors'])
      writeFileSync(join(at(name), file), readFileSync(join(at('good'), file)))
    change(at(name))
    return at(name)
  }
  const init = (model: string) => ['--init', model]
  await refused(at('both.tsv'), /nowhere\/model\.json.*cannot be read/, init(at('nowhere')))
  const own = fileURLToPath(new URL('../golden/nnunet/tiny', import.meta.url))
  await refused(at('both.tsv'), /result folder of nnU-Net itself.*lesionwise import-model --from/, init(own))
  const foreign = copy('foreign', (dir) => writeFileSync(join(dir, 'model.json'), '{"a": 1}'))
  await refused(at('both.tsv'), /is not the card of a lesionwise model/, init(foreign))
  const damaged = copy('damaged', (dir) => {
    const bytes = readFileSync(join(dir, 'weights.safetensors'))
    bytes[bytes.length - 5] ^= 1
    writeFileSync(join(dir, 'weights.safetensors'), bytes)
  })
  await refused(at('both.tsv'), /weights\.safetensors.*sha256 differs/, init(damaged))
  const short = copy('short', (dir) =>
    writeFileSync(join(dir, 'weights.safetensors'), readFileSync(join(dir, 'weights.safetensors')).subarray(0, 100)),
  )
  await refused(at('both.tsv'), /weights\.safetensors.*sha256 differs/, init(short))
  writeFileSync(at('cube.json'), JSON.stringify({ ...quick, network: 'unet3d' }))
  const other = await lesionwise([
    ...['train', '--data', at('both.tsv'), '--out', at('refused'), '--config', at('cube.json'), '--init', at('good')],
  ])
  assert.equal(other.code, 3)
  assert.match(
    other.stderr,
    /is a Multi-plane 2.5-D U-Net of three neighbouring slices; set "network" to multislice-unet in --config/,
  )
})

test('every kind of network trains, and segment runs it with the method that it needs', async () => {
  const visit = ['--flair', at('a-flair.nii.gz'), '--t1', at('a-t1.nii.gz'), '--work', at('work')]
  for (const [network, settings] of [
    ['unet3d', { size: 16 }],
    ['valverde2017', { size: 11, batch: 8 }],
    ['multiplane-unet', {}],
  ] as const) {
    writeFileSync(at(`${network}.json`), JSON.stringify({ ...quick, network, ...settings, folds: 0 }))
    const trained = await lesionwise([
      ...['train', '--data', at('both.tsv'), '--out', at(network), '--config', at(`${network}.json`)],
      ...['--work', at('work')],
    ])
    assert.equal(trained.code, 0, trained.stderr)
    const out = at(`${network}-result`)
    const ran = await lesionwise(['segment', ...visit, '--model', at(network), '--out', out])
    assert.equal(ran.code, 0, ran.stderr)
    const { method } = JSON.parse(readFileSync(join(out, 'provenance.json'), 'utf8')) as { method: { id: string } }
    assert.equal(method.id, network === 'multiplane-unet' ? 'unet2d' : network)
    if (method.id === 'unet2d') continue
    const wrong = await lesionwise([
      'segment',
      ...visit,
      '--method',
      'unet2d',
      '--model',
      at(network),
      '--out',
      at('wrong'),
    ])
    assert.equal(wrong.code, 3)
    assert.match(wrong.stderr, new RegExp(`run it with --method ${network}`))
    assert.ok(!existsSync(at('wrong')) || readdirSync(at('wrong')).length === 0)
  }
})

test('an nnU-Net of two folds is trained, kept whole, goes on where it was, and segment runs it', async () => {
  const plan = { network: 'nnunet', configuration: '2d', gigabytes: 0.2, batch: 2, steps: 3, folds: 2, checkEvery: 2 }
  writeFileSync(at('nnunet.json'), JSON.stringify(plan))
  const args = ['train', '--data', at('both.tsv'), '--out', at('nnunet'), '--config', at('nnunet.json')]
  const trained = await lesionwise([...args, '--work', at('work')])
  assert.equal(trained.code, 0, trained.stderr)
  assert.match(trained.stdout, /Scans left out: Dice .* \(2 scans, 2 folds by group\)/)
  const files = () =>
    ['fold_0.safetensors', 'fold_1.safetensors', 'model.json'].map((f) => readFileSync(join(at('nnunet'), f)))
  const [first, second, card] = files()
  assert.ok(!first.equals(second))
  const { network, weights, validation } = JSON.parse(card.toString())
  assert.equal(network.configuration, '2d')
  assert.deepEqual(network.dataset.channel_names, { 0: 'FLAIR', 1: 'T1' })
  assert.equal(weights.length, 2)
  assert.equal(validation.length, 1)
  const again = await lesionwise([...args, '--work', at('work')])
  assert.equal(again.code, 0, again.stderr)
  assert.deepEqual(files(), [first, second, card])
  const visit = ['--flair', at('a-flair.nii.gz'), '--t1', at('a-t1.nii.gz'), '--work', at('work')]
  const ran = await lesionwise(['segment', ...visit, '--model', at('nnunet'), '--out', at('nnunet-result')])
  assert.equal(ran.code, 0, ran.stderr)
  const { method } = JSON.parse(readFileSync(join(at('nnunet-result'), 'provenance.json'), 'utf8'))
  assert.equal(method.id, 'nnunet')
})

test('a disk that is full during a checkpoint: one line, the checkpoint before stays and the training goes on from it', async () => {
  const config = at('long.json')
  writeFileSync(config, JSON.stringify({ ...quick, features: [16, 32], steps: 8, folds: 0 }))
  const args = ['train', '--data', at('both.tsv'), '--out', at('full'), '--config', config, '--work', at('work')]
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
  // A limit on the size of files stands for the disk: the checkpoint is larger than 64 blocks of 1 KiB.
  const limited = spawnSync('bash', ['-c', 'ulimit -f 64; exec "$0" "$@"', process.execPath, main, ...args], {
    encoding: 'utf8',
  })
  assert.equal(limited.status, 1, limited.stderr)
  assert.match(limited.stderr, /checkpoint|fold-all|cannot be written|no space|too large/i)
  assert.doesNotMatch(limited.stderr, /\n\s+at /)
  const left = readdirSync(at('full'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.includes('lesionwise-new'),
  )
  assert.deepEqual(left, [])
  const ran = await lesionwise(args)
  assert.equal(ran.code, 0, ran.stderr)
})

test('a training that does not fit in memory says what to make smaller, and leaves nothing', {
  timeout: 120_000,
}, async () => {
  writeFileSync(at('huge.json'), JSON.stringify({ ...quick, features: [512, 2], size: 512, batch: 48, folds: 0 }))
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
  const args = ['train', '--data', at('both.tsv'), '--out', at('huge'), '--config', at('huge.json')]
  // Its first layer has 26 GB; the limit makes every machine smaller than that.
  const ran = spawnSync(
    'bash',
    ['-c', 'ulimit -v 24000000; exec "$0" "$@"', process.execPath, main, ...args, '--work', at('work')],
    { encoding: 'utf8' },
  )
  assert.equal(ran.status, 1, ran.stderr)
  assert.match(ran.stderr, /not enough memory for this training; make "batch", "size" or "features" smaller/)
  assert.doesNotMatch(ran.stderr, /\n\s+at /)
  assert.ok(!existsSync(at('huge')))
})
