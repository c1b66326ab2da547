import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import modbus from 'modbus-serial'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { DeviceProfile } from '#contract/profile.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { Bus, type BusReply } from '#edge-agent/modbus/bus.ts'
import { tempFolder, until } from '#test/support/servers.ts'
import { FAULT_KINDS, type FaultKind } from './faults/order.ts'
import { openSimulators, type SimulatedSite, type Simulators } from './main.ts'
import { encodeFrame } from './modbus-frame.ts'
import { loadScenario, parseScenario, type Scenario } from './scenario.ts'
import type { ServedRead } from './truth.ts'

const root = join(import.meta.dirname, '..')
const profileFile = join(root, 'edge-agent', 'profiles', 'sluice-gate-rtu.yaml')
const profile = parseConfig(DeviceProfile, { text: await readFile(profileFile, 'utf8'), file: profileFile })
const district = await loadDistrict(join(root, 'districts', 'hetao'))
const badDay = await loadScenario(join(import.meta.dirname, 'scenarios', 'bad-day.yaml'))
const log = pino({ level: 'silent' })
const t0 = 1_750_000_000_000

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Bench = {
  readonly site: SimulatedSite
  readonly clock: { t: number; asked: number }
  readonly truth: ServedRead[]
  readonly simulators: Simulators
}
async function open(scenario: Scenario, seed = 1): Promise<Bench> {
  const clock = { t: t0, asked: 0 }
  const now = (): number => {
    clock.asked++
    return clock.t
  }
  const truth: ServedRead[] = []
  const simulators = await openSimulators(
    { district, profile, host: '127.0.0.1', basePort: 0, seed, sites: ['yc-s006'], scenario },
    { now, logger: log, served: (read) => truth.push(read) },
  )
  cleanups.push(() => simulators.close())
  const [site] = simulators.sites
  if (!site) throw new Error('no site')
  return { site, clock, truth, simulators }
}
/** The real agent's side of the bus. */
function openBus({ host, port }: SimulatedSite, timeout_ms = 300): Bus {
  const bus = Bus.open({ name: 'gates', host, port, timeout_ms, transport: 'tcp', pause_ms: 0 }, log)
  cleanups.push(() => bus.close())
  return bus
}
async function openClient({ host, port }: SimulatedSite) {
  const client = new modbus.default()
  await client.connectTCP(host, { port })
  cleanups.push(() => client.destroy(() => undefined))
  return client
}
/** level_up to flow. */
const levels = (unit: number) => ({ unit, space: 'holding', address: 0, words: 6 }) as const
const bad = (reason: string): unknown => ({ kind: 'bad', reason })
const wordsIn = (reply: BusReply): readonly number[] | null => (reply.kind === 'words' ? reply.words : null)
function float(words: readonly number[] | null, at: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint16(0, words?.[at] ?? 0x7fc0)
  view.setUint16(2, words?.[at + 1] ?? 0)
  return view.getFloat32(0)
}

const of = (kind: FaultKind) => {
  const found = badDay.faults.find((f) => f.kind === kind)
  if (!found || !('site' in found)) throw new Error(`the scenario has no ${kind}`)
  return found
}
/** In the middle of the scenario's fault of this kind. */
const during = (kind: FaultKind): number => t0 + (of(kind).at_s + (of(kind).for_s ?? 0) / 2) * 1000

test('the scenario has every kind of fault once that a site with Modbus TCP can have, and no two at a time', () => {
  const elsewhere: readonly FaultKind[] = ['crc_error', 'silted_canal', 'iced_canal']
  expect(badDay.faults.map((f) => f.kind).toSorted()).toEqual(FAULT_KINDS.filter((kind) => !elsewhere.includes(kind)).toSorted())
  for (const [i, fault] of badDay.faults.entries()) {
    expect(fault.at_s + (fault.for_s ?? Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(
      badDay.faults[i + 1]?.at_s ?? Number.POSITIVE_INFINITY,
    )
  }
})

test('whatever keeps an answer away or breaks it, the agent has a BAD reading and its reason, and the truth says by what', async () => {
  const { site, clock, truth } = await open(badDay)
  const reasons: Partial<Record<FaultKind, string>> = {
    no_answer: 'timeout',
    exception: 'exception_busy',
    wrong_length: 'timeout',
    wrong_transaction: 'timeout',
    wrong_unit: 'bad_reply',
    wrong_function: 'bad_reply',
  }
  for (const [kind, reason] of Object.entries(reasons) as [FaultKind, string][]) {
    clock.t = during(kind)
    const unit = of(kind).unit ?? 1
    const bus = openBus(site)
    await until(async () => expect(await bus.read(levels(unit))).toEqual(bad(reason)))
    const last = truth.at(-1)
    expect(last).toMatchObject({ site: 'yc-s006', unit, t: clock.t, address: 0, corrupted: kind })
    // The other device, or the same one after the fault, answers.
    clock.t += ((of(kind).for_s ?? 0) / 2) * 1000
    await until(async () => expect(truth.at(-1)?.words).toEqual(wordsIn(await bus.read(levels(unit)))))
    expect(truth.at(-1)).not.toHaveProperty('corrupted')
    bus.close()
  }
})

test('an answer in pieces, or behind the one before, is taken for what it is', async () => {
  const { site, clock, truth } = await open(badDay)
  const bus = openBus(site, 2000)
  for (const kind of ['split', 'merged'] as const) {
    for (let i = 0; i < 5; i++) {
      clock.t = during(kind) + i * 1000
      const words = wordsIn(await bus.read(levels(1)))
      expect(words).toHaveLength(6)
      expect(truth.at(-1)).toEqual({ site: 'yc-s006', unit: 1, structure: 'yc-zh-03', t: clock.t, fc: 3, address: 0, words })
    }
  }
})

test('a late answer is the value of when it was asked, stands in the truth when it leaves, and as lost when nobody waits any more', async () => {
  const late = (delay_ms: number): Scenario => ({ title: 'late', faults: [{ kind: 'late', site: 'yc-s006', at_s: 0, share: 1, delay_ms }] })
  const patient = await open(late(300))
  const plain = await open({ title: 'nothing', faults: [] })
  const bus = openBus(patient.site, 10_000)
  await bus.read(levels(1))
  const { asked } = patient.clock
  const reading = bus.read(levels(1))
  await until(async () => expect(patient.clock.asked).toBeGreaterThan(asked))
  patient.clock.t += 60_000
  const words = wordsIn(await reading)
  expect(patient.truth.at(-1)).toMatchObject({ words, t: t0 + 60_000 })
  expect(words).toEqual(wordsIn(await openBus(plain.site).read(levels(1))))

  const { site, truth } = await open(late(400))
  const impatient = openBus(site, 100)
  expect(await impatient.read(levels(1))).toEqual(bad('timeout'))
  impatient.close()
  await until(async () => expect(truth).toMatchObject([{ corrupted: 'client_gone' }]))
})

test('what a device shows wrong is served as a good answer, and the truth has it as it was served', async () => {
  const { site, clock, truth } = await open(badDay)
  const plain = await open({ title: 'nothing', faults: [] })
  const [bus, right] = [openBus(site, 2000), openBus(plain.site, 2000)]
  const both = async (unit: number, t: number): Promise<[shown: readonly number[] | null, right: readonly number[] | null]> => {
    clock.t = plain.clock.t = t
    const reply = wordsIn(await bus.read(levels(unit)))
    expect(truth.at(-1)).toMatchObject({ words: reply, t })
    expect(truth.at(-1)).not.toHaveProperty('corrupted')
    return [reply, wordsIn(await right.read(levels(unit)))]
  }
  const told = (): unknown => truth.at(-1)?.distorted

  const [, atBegin] = await both(1, t0 + of('frozen').at_s * 1000)
  for (const s of [1, 100, 299]) {
    const [shown, now] = await both(1, t0 + (of('frozen').at_s + s) * 1000)
    expect(float(shown, 0)).toBe(float(atBegin, 0))
    expect(shown?.slice(2)).toEqual(now?.slice(2))
    expect(shown).not.toEqual(now)
    expect(told()).toEqual(['frozen'])
  }

  let spikes = 0
  for (let s = 1; s < 300; s += 3) {
    const [shown, now] = await both(1, t0 + (of('spike').at_s + s) * 1000)
    const jump = float(shown, 2) - float(now, 2)
    if (told()) {
      spikes++
      expect(jump).toBeCloseTo(3, 4)
      expect(told()).toEqual(['spike'])
    } else expect(shown).toEqual(now)
  }
  expect(spikes).toBeGreaterThan(2)
  expect(spikes).toBeLessThan(25)

  const [swapped, flow] = await both(2, during('swapped_words'))
  expect(swapped).toEqual([...(flow?.slice(0, 4) ?? []), flow?.[5], flow?.[4]])
  expect(told()).toEqual(['swapped_words'])
  const [centimetres, metres] = await both(2, during('unit_change'))
  expect(float(centimetres, 0)).toBeCloseTo(100 * float(metres, 0), 3)
  expect(told()).toEqual(['unit_change'])

  const offOf = async (kind: FaultKind): Promise<number> => {
    const [shown, now] = await both(1, during(kind))
    expect(told()).toEqual([kind])
    return float(shown, 0) - float(now, 0)
  }
  expect(Math.abs(await offOf('noise'))).toBeLessThan(0.05)
  expect(await offOf('drift')).toBeCloseTo((240 * 15) / 86_400, 4)
  const [, wellBefore] = await both(1, t0 + of('silted_well').at_s * 1000)
  const [inWell, outside] = await both(1, during('silted_well'))
  expect(told()).toEqual(['silted_well'])
  const followed = (float(inWell, 0) - float(wellBefore, 0)) / (float(outside, 0) - float(wellBefore, 0))
  expect(followed).toBeCloseTo(1 - Math.exp(-15 / 600), 2)
  expect(await offOf('iced_gate')).toBeCloseTo(0.3 * 0.083, 4)
  expect((await both(2, t0 + 1_400_000))[0]).toEqual((await both(2, t0 + 1_400_000))[1])
})

test('a fault of one value does not stand in the truth of registers that it does not reach', async () => {
  const { site, clock, truth } = await open(badDay)
  clock.t = during('frozen')
  await openBus(site).read({ unit: 1, space: 'holding', address: 100, words: 1 })
  expect(truth.at(-1)).not.toHaveProperty('distorted')
})

test('a device that reboots resets the connection, is silent, and comes back with its leaf where it was sent', async () => {
  const { site, clock, truth } = await open({
    title: 'reboot',
    faults: [{ kind: 'reboot', site: 'yc-s006', unit: 1, at_s: 60, for_s: 10 }],
  })
  const bus = openBus(site)
  const opening = async (): Promise<number | undefined> =>
    wordsIn(await bus.read({ unit: 1, space: 'holding', address: 100, words: 1 }))?.[0]
  const client = await openClient(site)
  client.setID(1)
  const idle = connect({ host: site.host, port: site.port })
  cleanups.push(() => idle.destroy())
  const end = new Promise((resolve) => idle.once('error', (error: NodeJS.ErrnoException) => resolve(error.code)))
  await once(idle, 'connect')
  const before = (await opening()) ?? 0
  await client.writeRegisters(110, [before + 100, 4, 1])
  clock.t += 59_000
  expect(await opening()).toBe(before + 100)

  clock.t += 5000
  expect(await bus.read(levels(1))).toEqual(bad('not_connected'))
  expect(truth.at(-1)).toMatchObject({ corrupted: 'reboot' })
  await until(async () => expect(await bus.read(levels(1))).toEqual(bad('timeout')))
  expect(truth.at(-1)).toMatchObject({ corrupted: 'reboot' })
  await until(async () => expect(await bus.read(levels(2))).toMatchObject({ kind: 'words' }))

  clock.t += 10_000
  await until(async () => expect(await opening()).toBe(before + 100))
  // A connection of before that nobody used meanwhile.
  idle.write(encodeFrame({ transaction: 1, unit: 1, pdu: Buffer.from([3, 0, 100, 0, 1]) }))
  expect(await end).toBe('ECONNRESET')
})

test('a jammed leaf takes its command and does not move, its overload relay trips, and afterwards it moves again', async () => {
  const { site, clock } = await open({
    title: 'jam',
    faults: [{ kind: 'jammed_leaf', site: 'yc-s006', unit: 2, leaf: 1, at_s: 0, for_s: 30 }],
  })
  const client = await openClient(site)
  client.setID(2)
  const words = async (address: number, count: number): Promise<number[]> => (await client.readHoldingRegisters(address, count)).data
  clock.t += 1000
  const [before = 0] = await words(100, 1)
  await client.writeRegisters(110, [before + 100, 4, 1])
  clock.t += 1000
  expect(await words(100, 3)).toEqual([before, 0b011, 570])
  expect((await words(10, 1))[0]).toBe(0)
  clock.t += 3000
  expect(await words(100, 3)).toEqual([before, 0b100_000, 0])
  expect((await words(10, 1))[0]).toBe(1 << 4)
  // The jam is over and the relay has cooled down.
  clock.t += 180_000
  expect((await words(100, 1))[0]).toBe(before)
  await client.writeRegisters(110, [before + 100, 4, 2])
  clock.t += 60_000
  expect((await words(100, 1))[0]).toBe(before + 100)
})

test('a write under an exception or without an answer is not carried out', async () => {
  const { site, simulators } = await open({
    title: 'refused',
    faults: [{ kind: 'exception', site: 'yc-s006', unit: 1, at_s: 0, share: 1, code: 6 }],
  })
  const client = await openClient(site)
  client.setID(1)
  await expect(client.writeRegisters(110, [500, 4, 1])).rejects.toMatchObject({ modbusCode: 6 })
  expect(simulators.controlUrl).toBeNull()
  client.setID(2)
  await client.writeRegisters(110, [500, 4, 1])
  expect((await client.readHoldingRegisters(110, 3)).data).toEqual([500, 4, 1])
})

test('a scenario’s mistakes are named with file, place and what would be right', async () => {
  const mistake = (text: string): unknown => {
    try {
      return parseScenario({ text, file: 'day.yaml' })
    } catch (error) {
      return error instanceof Error ? error.message : error
    }
  }
  expect(mistake('title: t\nfaults:\n  - { kind: hiccup, site: yc-s006 }\n')).toContain('day.yaml:3:7: faults.0.kind')
  expect(mistake('title: t\nfaults:\n  - { kind: late, site: yc-s006 }\n')).toContain('day.yaml: faults.0 (late)')
  expect(mistake('faults: []\n')).toContain('title: is missing')
  const folder = tempFolder('scenario')
  cleanups.push(() => rm(folder, { recursive: true }))
  await expect(loadScenario(join(folder, 'no.yaml'))).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' })
  await writeFile(join(folder, 'yes.yaml'), 'title: t\nfaults: []\n')
  expect(await loadScenario(join(folder, 'yes.yaml'))).toEqual({ title: 't', faults: [] })
})

test('a fault that would strike nothing is refused before anything listens', async () => {
  const refusal = async (fault: object): Promise<unknown> => {
    const text = JSON.stringify({ title: 't', faults: [{ site: 'yc-s006', ...fault }] })
    return await open(parseScenario({ text, file: 'day.yaml' })).catch((error: unknown) => error)
  }
  const message = (text: string): unknown => expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(text) })
  expect(await refusal({ kind: 'merged', site: 'yc-s999' })).toEqual(message('no site yc-s999'))
  expect(await refusal({ kind: 'merged', unit: 3 })).toEqual(message('site yc-s006 has no unit 3'))
  expect(await refusal({ kind: 'frozen', metric: 'temperature' })).toEqual(message('shows temperature'))
  expect(await refusal({ kind: 'frozen', metric: 'opening_9' })).toEqual(message('shows opening_9'))
  expect(await refusal({ kind: 'jammed_leaf', leaf: 9 })).toEqual(message('has a leaf 9'))
  expect(await refusal({ kind: 'iced_canal', site: undefined, canal: 'yongji', thickness_m: 0.2 })).toEqual(message('stand in no canal'))
  expect(await refusal({ kind: 'swapped_words', metric: 'opening_2' })).toEqual(message('nothing to swap'))
})
