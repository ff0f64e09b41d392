import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { RunError } from '../../src/errors.js'
import { multipart, storeInstances } from '../../src/run/dicom/dicomweb.js'
import { exportDicom } from '../../src/run/export-dicom.js'
import { importDicom } from '../../src/run/import-dicom.js'
import { flairRecipe, mprageRecipe, mrSeries, uid } from '../formats/dicom/series.js'
import { resultOf, writeSeries } from './dicom-result.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-pacs-test-'))
after(() => rmSync(base, { recursive: true, force: true }))
const plugins = ['/usr/share/orthanc/plugins', '/usr/lib/orthanc'].find(
  (folder) => existsSync(folder) && readdirSync(folder).some((name) => /DicomWeb/i.test(name)),
)
const missing =
  (spawnSync('which', ['Orthanc']).status !== 0 || !plugins) && 'orthanc and orthanc-dicomweb are not here'
const quick = { pauseMs: 10 }

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createSocket().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

test('an answer that breaks off between its parts is not taken for the whole', () => {
  const text = '--x\r\nContent-Type: application/dicom\r\n\r\nAB\r\n--x\r\n\r\nCD\r\n--x--'
  const bytes = new TextEncoder().encode(text)
  const type = 'multipart/related; boundary=x'
  assert.deepEqual(
    multipart(bytes, type).map((part) => new TextDecoder().decode(part)),
    ['AB', 'CD'],
  )
  for (const end of [bytes.length - 5, 50, 20, 2])
    assert.throws(() => multipart(bytes.subarray(0, end), type), RunError)
  assert.throws(() => multipart(bytes, 'text/html'), RunError)
})

test('a server that is not there, and one that is no PACS, are said in one line', async () => {
  const port = await freePort()
  await assert.rejects(
    storeInstances(`http://user:geheim@127.0.0.1:${port}/dicom-web`, [], quick),
    (error: unknown) => {
      assert.ok(error instanceof RunError)
      assert.match(error.message, /cannot be reached/)
      assert.doesNotMatch(error.message, /geheim/)
      return true
    },
  )
})

describe('with Orthanc', { skip: missing }, () => {
  let orthanc: ChildProcess | undefined
  let address = ''
  const servers: Server[] = []

  before(async () => {
    const [http, dicom] = [await freePort(), await freePort()]
    const store = join(base, 'orthanc')
    mkdirSync(store)
    const config = join(base, 'orthanc.json')
    const settings = {
      Name: 'Test',
      HttpPort: http,
      DicomPort: dicom,
      StorageDirectory: store,
      IndexDirectory: store,
      Plugins: [plugins],
      AuthenticationEnabled: false,
      RemoteAccessAllowed: false,
      DicomWeb: { Enable: true, Root: '/dicom-web/' },
    }
    writeFileSync(config, JSON.stringify(settings))
    orthanc = spawn('Orthanc', [config], { stdio: 'ignore' })
    address = `http://127.0.0.1:${http}/dicom-web`
    for (let n = 0; n < 300; n++) {
      if (
        await fetch(`${address}/studies`).then(
          (answer) => answer.ok,
          () => false,
        )
      )
        return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error('Orthanc did not start')
  })
  after(async () => {
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
    const gone = new Promise((resolve) => orthanc?.once('exit', resolve))
    orthanc?.kill('SIGTERM')
    await gone
  })

  /** Passes on to Orthanc what `judge` does not answer itself. */
  const between = (judge: (request: IncomingMessage, answer: ServerResponse, body: Buffer) => boolean) =>
    new Promise<string>((resolve) => {
      const server = createServer(async (request, answer) => {
        const passed = await fetch(`${address}${request.url?.replace('/dicom-web', '')}`, {
          headers: { Accept: request.headers.accept ?? '*/*' },
        })
        const body = Buffer.from(await passed.arrayBuffer())
        if (judge(request, answer, body)) return
        answer.writeHead(passed.status, { 'Content-Type': passed.headers.get('content-type') ?? '' })
        answer.end(body)
      }).listen(0, '127.0.0.1', () => {
        servers.push(server)
        resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/dicom-web`)
      })
    })

  test('a study goes there and back: import, export, send', async () => {
    const study = uid('study-1')
    assert.equal(await storeInstances(address, [...mrSeries(flairRecipe), ...mrSeries(mprageRecipe)]), 34)
    const steps: number[] = []
    const made = await importDicom({
      fromPacs: address,
      study,
      out: join(base, 'bids'),
      onProgress: ({ stage, fraction }) => stage.includes('PACS') && steps.push(fraction ?? 0),
    })
    assert.deepEqual(
      made.series.map(({ id, role, images }) => [id, role, images]),
      [
        ['3', 't1', 22],
        ['5', 'flair', 12],
      ],
    )
    assert.equal(steps.at(-1), 1)
    const byPerson = await importDicom({ fromPacs: address, patientId: 'ID-DOE^JANE', dryRun: true })
    assert.equal(byPerson.series.length, 2)
    assert.deepEqual(
      readdirSync(tmpdir()).filter((name) => /^lesionwise-pacs-(?!test)/.test(name)),
      [],
    )

    const dicom = writeSeries(join(base, 'source'), flairRecipe)
    const { result } = await resultOf(dicom, join(base, 'case'))
    const sent = await exportDicom({ result, dicom, out: join(base, 'objects'), toPacs: address })
    assert.equal(sent.sent, sent.files.length)
    const objects = join(base, 'unsent')
    await assert.rejects(
      exportDicom({ result, dicom, out: objects, toPacs: address.replace('dicom-web', 'dicom') }),
      /refuses the objects.*the objects lie in .*unsent and were not sent/,
    )
    assert.equal(readdirSync(objects).length, sent.files.length)
    await assert.rejects(exportDicom({ result, dicom, out: join(base, 'none'), toPacs: 'pacs' }), /is no address/)
    assert.ok(!existsSync(join(base, 'none')))
    const series = (await (
      await fetch(`${address}/studies/${study}/series`, { headers: { Accept: 'application/dicom+json' } })
    ).json()) as Record<string, { Value: string[] }>[]
    assert.deepEqual(series.map((one) => one['00080060'].Value[0]).sort(), [
      'DOC',
      'MR',
      'MR',
      'OT',
      'SEG',
      'SEG',
      'SR',
    ])
  })

  test('faults that pass are waited out; half a study is none', async () => {
    let calls = 0
    const flaky = await between((request, answer, body) => {
      calls++
      // Every second call fails: with a 503, or in the middle of the answer.
      if (calls % 2 === 0) return false
      if (calls % 4 === 1) answer.writeHead(503).end()
      else {
        answer.writeHead(200, { 'Content-Length': body.length + 10, 'Content-Type': 'multipart/related' })
        answer.write(body.subarray(0, body.length >> 1))
        setTimeout(() => request.socket.destroy(), 20)
      }
      return true
    })
    const made = await importDicom({ fromPacs: flaky, study: uid('study-1'), dryRun: true })
    assert.equal(made.files.dicom, 34)

    const lossy = await between((request, answer, body) => {
      if (!/series\/[\d.]+$/.test(request.url ?? '')) return false
      // A whole answer, but for one instance.
      const mark = body.subarray(0, body.indexOf('\r\n'))
      const rest = body.subarray(body.indexOf(mark, mark.length))
      answer.writeHead(200, {
        'Content-Type': `multipart/related; boundary=${mark.toString().replace(/^-*--/, (m) => m.slice(2))}`,
      })
      answer.end(rest)
      return true
    })
    const out = join(base, 'half')
    await assert.rejects(
      importDicom({ fromPacs: lossy, study: uid('study-1'), out }),
      /sent \d+ of \d+ images of a series; nothing is imported/,
    )
    assert.ok(!existsSync(out))
    await assert.rejects(importDicom({ fromPacs: address, study: '1.2.3', dryRun: true }), /holds no MR series/)
    // An address that is none is not a study that is none.
    const elsewhere = address.replace('/dicom-web', '')
    for (const who of [{ study: uid('study-1') }, { patientId: 'ID-DOE^JANE' }])
      await assert.rejects(importDicom({ fromPacs: elsewhere, ...who, dryRun: true }), /does not answer in DICOMweb at/)
  })
})
