import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../../src/errors.js'
import { guessContrast } from '../../../src/formats/dicom/contrast.js'
import { type DicomHeader, readDicomHeader } from '../../../src/formats/dicom/header.js'
import { shiftedDate, withoutIdentity } from '../../../src/formats/dicom/identity.js'
import { packedBits } from '../../../src/formats/dicom/segmentation.js'
import { seededRandom } from '../../../src/random.js'
import { flairRecipe, mrSeries } from './series.js'

test('a header is read as it was written', () => {
  const header = readDicomHeader(mrSeries({ ...flairRecipe, contrastAgent: 'Dotarem' })[3], 'x')
  assert.equal(header.echoTime, 94)
  assert.equal(header.inversionTime, 2500)
  assert.deepEqual(header.scanningSequence, ['SE', 'IR'])
  assert.equal(header.contrastAgent, 'Dotarem')
  assert.deepEqual(header.places[0].position, [-24, -25, -12])
  assert.deepEqual(header.places[0].spacing, [2.5, 2])
  assert.equal(header.truncated, false)
})

test('damaged bytes end in an InputError or a header, soon', () => {
  const [whole] = mrSeries(flairRecipe)
  const random = seededRandom(7)
  const started = performance.now()
  for (let n = 0; n < 600; n++) {
    const cut = n % 4 === 0
    const bytes = whole.slice(0, cut ? Math.floor(random() * whole.length) : whole.length)
    if (!cut)
      for (let flips = 1 + Math.floor(random() * 8); flips > 0; flips--)
        bytes[132 + Math.floor(random() * 1200)] = n % 3 === 0 ? 255 : Math.floor(random() * 256)
    try {
      readDicomHeader(bytes, 'folder')
    } catch (error) {
      assert.ok(error instanceof InputError)
      assert.equal(error.message.split('\n').length, 1)
      assert.doesNotMatch(error.message, /DOE/)
    }
  }
  assert.ok(performance.now() - started < 60_000)
})

const guess = (facts: Partial<DicomHeader>) =>
  guessContrast({
    files: [
      {
        header: {
          ...readDicomHeader(mrSeries({ number: 1 })[0], 'x'),
          echoTime: undefined,
          repetitionTime: undefined,
          scanningSequence: ['SE'],
          ...facts,
        },
        file: '',
      },
    ],
  })

test('contrasts by name and by what the scanner did', () => {
  const times = (repetitionTime: number, echoTime: number, inversionTime?: number) => ({
    repetitionTime,
    echoTime,
    inversionTime,
  })
  const cases: [Partial<DicomHeader>, string | undefined, number][] = [
    [
      { description: 't2_space_dark-fluid_sag_p2_iso', ...times(5000, 388, 1800), scanningSequence: ['SE', 'IR'] },
      'flair',
      3,
    ],
    [{ description: 'Sag CUBE T2 FLAIR', ...times(6000, 120, 1700) }, 'flair', 3],
    [{ description: 'AX T1 FLAIR', ...times(2500, 12, 900) }, 't1', 3],
    [{ description: 'AX T2 FSE', ...times(4500, 98) }, 't2', 3],
    [{ description: 'PD AX', ...times(2800, 20) }, 'pd', 3],
    [{ description: 'AX T1 SE +GD', ...times(550, 14) }, 't1gd', 3],
    [{ description: 'T1W post', ...times(550, 14) }, 't1gd', 3],
    [{ description: 'T1 ohne KM', ...times(550, 14) }, 't1', 3],
    [{ description: 'WIP 3D TFE', ...times(8, 3.7), scanningSequence: ['GR'] }, 't1', 3],
    [{ description: 'series', ...times(9000, 120, 2500) }, 'flair', 1],
    [{ description: 'AX T1', ...times(9000, 120, 2500) }, 'flair', 2],
    [{ description: 'FLAIR' }, 'flair', 1],
    [{ description: 'STIR cor', ...times(4000, 60, 160) }, undefined, 0],
    [{ description: 'ep2d_diff_tra_ADC', ...times(5000, 90) }, undefined, 0],
    [{ description: 'T2 TSE C-Spine sag', ...times(4000, 100) }, undefined, 0],
    [{ description: '' }, undefined, 0],
  ]
  for (const [facts, role, sureness] of cases) {
    const said = guess(facts)
    assert.deepEqual([said.role, said.sureness], [role, sureness], `${facts.description}: ${said.why}`)
    assert.notEqual(said.why, '')
  }
  // A name in a description does not come out with the reason.
  assert.doesNotMatch(guess({ description: 'FLAIR Jane Doe' }).why, /doe/i)
})

test('dates move by days; a sidecar keeps facts and loses what could name a person', () => {
  assert.equal(shiftedDate('20240301', 1), '2024-02-29')
  assert.equal(shiftedDate('yesterday', 1), undefined)
  assert.deepEqual(
    withoutIdentity({
      EchoTime: 0.09,
      PatientName: 'X',
      SeriesDescription: 'Doe',
      ImageType: ['A'],
      Manufacturer: 'O. "Doe"',
    }),
    { EchoTime: 0.09, ImageType: ['A'] },
  )
  assert.deepEqual([...new Uint8Array(packedBits([Uint8Array.of(1, 0, 0, 1), Uint8Array.of(0, 0, 0, 0, 1)]))], [9, 1])
})
