import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadDistrict } from '#districts/load-district.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { type LineAt, openDeviceLine } from '#simulators/device-line.ts'
import { Faults } from '#simulators/faults.ts'
import { openSimulators, type Simulators } from '#simulators/main.ts'
import { buildEdgeCli, type EdgeCli } from '#test/support/edge-cli.ts'
import { serialPair } from '#test/support/modbus.ts'
import { root } from '#test/support/program.ts'
import { accepts, freePort, tempFolder, until } from '#test/support/servers.ts'

let cli: EdgeCli
let simulators: Simulators
let folder = ''
let bus = ''
beforeAll(async () => {
  cli = await buildEdgeCli()
  folder = tempFolder('commission')
  const profile = (await loadProfiles(join(root, 'edge-agent', 'profiles'))).get('sluice-gate-rtu')
  if (!profile) throw new Error('no profile')
  const district = await loadDistrict(join(root, 'districts', 'hetao'))
  const settings = { district, profile, host: '127.0.0.1', basePort: 0, seed: 1, sites: ['sg-s001'] }
  simulators = await openSimulators(settings, { now: Date.now, logger: pino({ level: 'silent' }) })
  bus = `tcp://127.0.0.1:${simulators.sites[0]?.port}`
})
afterAll(async () => {
  cli?.remove()
  await simulators?.close()
  rmSync(folder, { recursive: true, force: true })
})

const init = (file: string, more: readonly string[] = []) =>
  cli.run([
    ...['init', '-o', file, '--site', 'sg-s001', '--area', 'zonggan', '--broker', 'mqtt://127.0.0.1:9', '--outbox', join(folder, 'outbox')],
    ...['-b', bus, '-d', 'gate-1=1:sluice-gate-rtu:4', '-d', 'gate-2=2:sluice-gate-rtu', '--interval-ms', '500', ...more],
  ])
const widest = (text: string): number => Math.max(...text.split('\n').map((l) => l.length))

test('a scan finds the two gates, what they answer to and the profile that reads them', async () => {
  const { code, out } = await cli.run(['scan', '-b', bus, '-u', '1-5'])
  expect(code).toBe(0)
  expect(out).toMatch(/^unit 1 answers/m)
  expect(out).toMatch(/holding {2}yes/)
  expect(out).toMatch(/read by profile sluice-gate-rtu \(10 of 10 good\)/)
  expect(out).toContain('2 of 5 units answer')
})

test('where nobody answers the exit code says so, and where nothing can be reached it is a fault', async () => {
  expect((await cli.run(['scan', '-b', bus, '-u', '9-11'])).code).toBe(2)
  const gone = await cli.run(['scan', '-b', `tcp://127.0.0.1:${await freePort()}`, '-u', '1'])
  expect(gone.code).toBe(1)
  expect(gone.err).toContain('the bus can not be reached')
})

test('a probe near what the staff gauge shows names register, type, order and the line for the profile', async () => {
  const read = await cli.run(['probe', '0', '-b', bus, '-w', '2', '--json'])
  const { words } = JSON.parse(read.out) as { words: number[] }
  const view = new DataView(new ArrayBuffer(4))
  view.setUint16(0, words[0] ?? 0)
  view.setUint16(2, words[1] ?? 0)
  const { code, out } = await cli.run(['probe', '0', '-b', bus, '-w', '4', '--near', view.getFloat32(0).toFixed(2)])
  expect(code).toBe(0)
  expect(out).toContain('- { metric: level_up, address: 0, type: float32, order: ABCD }')
  // Whatever the level of the moment is, no word in any scale comes so near to this.
  const nothing = ['--near', '900.12345', '--within', '0.000001']
  expect((await cli.run(['probe', '0', '-b', bus, '-w', '4', ...nothing])).code).toBe(2)
})

test('a refused register is said with its reason, for a program too', async () => {
  const { code, out } = await cli.run(['probe', '0x4000', '-b', bus, '--json'])
  expect(code).toBe(2)
  expect(JSON.parse(out)).toMatchObject({ address: 0x4000, failed: 'exception_illegal_address' })
})

test('init writes a file that check accepts and read reads, and never overwrites one', async () => {
  const file = join(folder, 'site.yaml')
  expect(await init(file)).toMatchObject({ code: 0 })
  expect(readFileSync(file, 'utf8')).toContain('# as registered in the center')
  expect(await init(file)).toMatchObject({ code: 1, err: expect.stringContaining('is there already') })
  expect(await cli.run(['check', '-c', file])).toMatchObject({ code: 0, out: expect.stringContaining('1 bus, 2 devices') })
  const { code, out } = await cli.run(['read', '-c', file])
  expect(code).toBe(0)
  expect(out).toMatch(/^opening_4 .* m {2}good/m)
})

test('init on a terminal asks for what it needs, finds the gates by a scan and writes a file that reads them', async () => {
  const { code, out } = await cli.talk(
    ['init', '-o', 'asked.yaml'],
    [
      ['Site, as registered', 'sg-s001\r'],
      ['Area', 'zonggan\r'],
      ['Broker', '127.0.0.1:9\r'],
      ['Folder of the outbox', '\r'],
      ['How are the sensors reached?', '\r'],
      ['Its address and port', `\u0015${bus.slice('tcp://'.length)}\r`],
      ['Look for units', '\r'],
      ['Which units', '\u00151-3\r'],
      ['Take unit 1', '\r'],
      ['Structure that unit 1', 'gate-1\r'],
      ['reads it: 10 of 10 good', '\r'],
      ['Gate leaves', '\u00154\r'],
      ['Take unit 2', 'n'],
      ['Another device', '\r'],
    ],
    folder,
  )
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('asked.yaml is written') })
  expect(out).toContain('2 of 3 units answer: unit 1, read by sluice-gate-rtu; unit 2, read by sluice-gate-rtu')
  const file = join(folder, 'asked.yaml')
  expect(readFileSync(file, 'utf8')).toContain('path: /var/lib/sluice/outbox/sg-s001')
  expect(readFileSync(file, 'utf8')).toContain('url: mqtts://127.0.0.1:9 # mqtts:// over a public network')
  expect(await cli.run(['read', '-c', file])).toMatchObject({ code: 0, out: expect.stringMatching(/^opening_4 .* m {2}good/m) })
})

const guided = (file: string, transport: string, turns: readonly (readonly [string, string])[]) =>
  cli.talk(
    ['init', '-o', file, '--site', 'sg-s001', '--area', 'zonggan', '--broker', 'mqtt://127.0.0.1:9', '--outbox', 'outbox'],
    [
      ['How are the sensors reached?', `${'\u001b[B'.repeat(TRANSPORTS.indexOf(transport))}\r`],
      ...turns,
      ['Look for units', '\r'],
      ['Which units', '\u00151-2\r'],
      ['Take unit 1', '\r'],
      ['Structure that unit 1', 'gate-1\r'],
      ['reads it: ', '\r'],
      ['Gate leaves', '\r'],
      ['Another device', '\r'],
    ],
    folder,
  )
/** A gauge as its profile says, which measures 1.62 m. */
async function serveGauge(at: LineAt) {
  const profile = (await loadProfiles(join(root, 'edge-agent', 'profiles'))).get('ulm-53l')
  if (!profile) throw new Error('no profile')
  const sensed = { level_m: 1.62, velocity_m_s: 0.9, flow_m3_s: 12, total_m3: 7, temperature_c: 17, battery_v: 12.6 }
  const deps = { now: Date.now, logger: pino({ level: 'silent' }) }
  return await openDeviceLine({ name: 'gauge', at, profiles: [profile], sense: () => sensed, faults: new Faults(1) }, deps)
}
const TRANSPORTS = ['tcp', 'serial', 'rtu-over-tcp', 'dtu']

test('init on a terminal finds a gauge on RS-485 by its port, speed and parity', async () => {
  const pair = await serialPair()
  const gauge = await serveGauge({ transport: 'serial', path: pair.theirs, baud_rate: 9600, parity: 'even' })
  try {
    const hasPorts = JSON.parse((await cli.run(['ports', '--json'])).out).length > 0
    const { code, out } = await guided('serial.yaml', 'serial', [
      // “another” is the last one, above the first.
      ...(hasPorts ? [['Port', '\u001b[A\r'] as const] : []),
      ['Path of the port', `\u0015${pair.ours}\r`],
      ['Baud rate', '\r'],
      ['Parity', '\u001b[B\r'],
    ])
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('serial.yaml is written') })
    expect(out).toContain('1 of 2 units answer: unit 1')
    const file = readFileSync(join(folder, 'serial.yaml'), 'utf8')
    expect(file).toMatch(/transport: serial[\s\S]*baud_rate: 9600[\s\S]*parity: even/)
  } finally {
    await gauge.close()
    await pair.close()
  }
})

test('init on a terminal waits until the DTU has dialled in and said who it is', async () => {
  const port = await freePort()
  let gauge: { close(): Promise<void> } | undefined
  try {
    const talk = guided('dtu.yaml', 'dtu', [
      ['Address and port to listen on', `\u0015127.0.0.1:${port}\r`],
      ['What it sends first', 'SITE-7\r'],
    ])
    // Its modem needs a while, as every one does.
    await until(() => accepts(port))
    gauge = await serveGauge({
      transport: 'dtu',
      host: '127.0.0.1',
      port,
      registration: Buffer.from('SITE-7'),
      heartbeat: Buffer.from([0xfe]),
      heartbeat_ms: 60_000,
    })
    const { code, out } = await talk
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('dtu.yaml is written') })
    expect(out).toContain(`waiting for the DTU to dial in to 127.0.0.1:${port}`)
    expect(out).toContain('1 of 2 units answer: unit 1')
    expect(readFileSync(join(folder, 'dtu.yaml'), 'utf8')).toMatch(/transport: dtu[\s\S]*registration: SITE-7/)
  } finally {
    await gauge?.close()
  }
})

test('who gives up init half-way finds no file', async () => {
  const { code, out } = await cli.talk(
    ['init', '-o', 'given-up.yaml'],
    [
      ['Site, as registered', 'sg-s001\r'],
      ['Area', '\u0003'],
    ],
    folder,
  )
  expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('nothing was written') })
  expect(existsSync(join(folder, 'given-up.yaml'))).toBe(false)
})

test('init without a terminal says which answers are missing', async () => {
  expect(await cli.run(['init', '--site', 'x', '-o', join(folder, 'no.yaml')])).toMatchObject({
    code: 1,
    err: expect.stringContaining('--area, --broker, --bus, --device must be given'),
  })
})

test('a mistake is told with line and column, and what is only suspicious is an error when asked to be strict', async () => {
  const file = join(folder, 'wrong.yaml')
  const text = readFileSync(join(folder, 'site.yaml'), 'utf8')
  writeFileSync(file, text.replace('unit: 2', 'unit: two'))
  const refused = await cli.run(['check', '-c', file])
  expect(refused.code).toBe(1)
  expect(refused.out.replaceAll(/\s+/g, ' ')).toMatch(/wrong\.yaml:\d+:\d+: buses\.0\.devices\.1\.unit/)
  writeFileSync(file, text.replace('unit: 2', 'unit: 1'))
  expect((await cli.run(['check', '-c', file])).code).toBe(0)
  expect((await cli.run(['check', '-c', file, '--strict'])).code).toBe(2)
})

test('a gate that does not answer makes read end with 2 and says why', async () => {
  const file = join(folder, 'gone.yaml')
  writeFileSync(file, readFileSync(join(folder, 'site.yaml'), 'utf8').replace('unit: 2', 'unit: 77'))
  const { code, out } = await cli.run(['read', '-c', file])
  expect(code).toBe(2)
  expect(out).toMatch(/bad: exception_gateway/)
})

test('on a phone no line of any command is wider than 40 columns, and nothing is coloured in a pipe', async () => {
  const file = join(folder, 'site.yaml')
  for (const args of [
    ['scan', '-b', bus, '-u', '1-2'],
    ['probe', '0', '-b', bus],
    ['probe', '0', '-b', bus, '--near', '5', '--within', '2'],
    ['read', '-c', file],
    ['check', '-c', file],
  ]) {
    const { out } = await cli.run(args, { columns: 40 })
    expect(widest(out), args.join(' ')).toBeLessThanOrEqual(args.includes('--near') ? 80 : 40)
    expect(out).not.toContain('\u001b')
  }
})

test('a running agent tells how it fares, and its outbox can be exported while it runs and after', async () => {
  const file = join(folder, 'site.yaml')
  expect(await cli.run(['status', '-c', file])).toMatchObject({ code: 2, out: expect.stringContaining('no agent runs') })
  const agent = cli.start(['run', '-c', file])
  try {
    await until(async () => {
      const { code, out } = await cli.run(['status', '-c', file, '--json'])
      expect(code).toBe(0)
      expect(JSON.parse(out)).toMatchObject({
        site: 'sg-s001',
        pid: agent.pid,
        stats: { connected: false },
        buses: [{ name: 'gatehouse', timeouts: 0 }],
        devices: [{ structure: 'gate-1', readings: { level_up: { quality: 'good' } } }, { structure: 'gate-2' }],
      })
    })
    const { out } = await cli.run(['status', '-c', file], { columns: 40 })
    expect(out).toMatch(/outbox +\d+ waiting/)
    expect(widest(out)).toBeLessThanOrEqual(40)
    expect((await cli.run(['outbox', 'export', '-c', file])).out).toMatch(
      /^time,structure,metric,value,quality,reason\n\d{4}-.*,gate-1,level_up,[\d.]+,good,\n/,
    )
  } finally {
    expect(await agent.end()).toBe(0)
  }
  const lines = (await cli.run(['outbox', 'export', '-c', file, '--json'])).out.trim().split('\n')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ structure: 'gate-1', metric: 'level_up', reading: { quality: 'good' } })
})

test('ports are listed, or said to be none', async () => {
  const { code, out } = await cli.run(['ports', '--json'])
  expect([0, 2]).toContain(code)
  expect(Array.isArray(JSON.parse(out))).toBe(true)
})
