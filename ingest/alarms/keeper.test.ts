import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { District } from '#contract/district.ts'
import type { OrderTarget } from '#contract/http/order.ts'
import type { OrderState } from '#contract/order.ts'
import { bad, good, type Reading } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { Sample } from '#history/port.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { copyRegistry } from '#test/support/registry-template.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { Surroundings } from './instructions.ts'
import { AlarmKeeper } from './keeper.ts'

const log = pino({ level: 'silent' })
const folder = tempFolder('alarms')
const T0 = Date.parse('2026-06-01T00:00:00Z')
const site = { id: 's1', name: { zh: '一站', en: 'One' }, area: 'yichang', station: '所', report_interval_ms: 5000 }
const gate = (id: string): District['structures'][number] => ({
  ...{ id, name: { zh: id, en: id }, provenance: 'invented', area: 'yichang', canal: 'c', site: 's1', type: 'regulator' },
  ...{ leaves: 1, leaf_width_m: 3, leaf_height_m: 2, design_flow_m3s: 20, chainage_km: 1, sill_m: 1030, datum_m: 1030 },
  ...{ design_level_up_m: 1032, design_level_down_m: 1031, lat: 41, lon: 108 },
})
const gates = ['g1', 'g2', 'g3', 'g4'].map(gate)
const directory = { gates: () => gates, gatesOf: (id: string) => gates.filter((g) => g.site === id), sites: () => [site] }
let registry: Registry
let now = T0
let surroundings: Surroundings = { commands: [], orders: [], canals: [] }

beforeAll(async () => {
  registry = await openRegistry(await copyRegistry(join(folder, 'registry')), { log, migrationsFolder: 'registry/migrations' })
})
afterAll(async () => {
  await registry.close()
  rmSync(folder, { recursive: true, force: true })
})

const sample = (id: string, level: Reading, t = now): Sample => ({
  gate: id,
  metric: 'level_up',
  t: unixMs(t),
  received: unixMs(now),
  reading: level,
})
async function keeper(
  of: Registry['alarms'] = registry.alarms,
  { holds = (): boolean => true, isSure = (): boolean => true } = {},
): Promise<AlarmKeeper> {
  const opened = new AlarmKeeper({ registry: of, directory, surroundings: async () => surroundings, log, now: () => now, holds, isSure })
  await opened.load()
  return opened
}
const order = (structure: string, state: OrderState, target: OrderTarget): Surroundings['orders'][number] => ({
  ...{ structure, state, target, effectiveAt: T0, updatedAt: T0, createdAt: T0 },
})
const told = async (alarm: string): Promise<string[]> =>
  (await registry.alarms.journal({ alarms: [alarm] }, { limit: 100, offset: 0 })).items.map((e) => e.event).reverse()
const presentIds = async (): Promise<string[]> => (await registry.alarms.present()).map((a) => a.id).sort()

test('a level over the guarantee level is raised after its delay, once, though ingest is started again and the batch comes again', async () => {
  const [g1] = gates
  if (!g1) throw new Error('no gate')
  now = T0 + 12_000
  const high = [0, 5000, 12_000].map((ms) => sample('g1', good(2.5), T0 + ms))
  let alarms = await keeper()
  alarms.take(g1, high.slice(0, 2))
  await alarms.settled()
  await alarms.close()
  alarms = await keeper()
  alarms.take(g1, high)
  alarms.take(g1, high)
  await alarms.settled()
  expect(await told('level_guarantee:g1')).toEqual(['raised'])
  expect(await registry.alarms.alarm('level_guarantee:g1')).toMatchObject({
    active: true,
    acknowledged: false,
    raised_at: T0 + 10_000,
    value: 2.5,
  })
  await alarms.close()
})

test('what arrives after newer values is told in the journal and raises nothing', async () => {
  const [, g2] = gates
  if (!g2) throw new Error('no gate')
  now = T0 + 3_600_000
  const alarms = await keeper()
  alarms.take(g2, [sample('g2', good(1.5))])
  alarms.take(
    g2,
    [0, 20_000, 40_000].map((ms) => sample('g2', good(2.5), T0 + ms)),
  )
  await alarms.settled()
  expect(await told('level_guarantee:g2')).toEqual(['historical'])
  expect(await presentIds()).not.toContain('level_guarantee:g2')
  await alarms.close()
})

test('no value is no low level, and no value ends a high one', async () => {
  const [g1] = gates
  if (!g1) throw new Error('no gate')
  now = T0 + 7_200_000
  const alarms = await keeper()
  alarms.take(g1, [sample('g1', bad('timeout'))])
  now += 60_000
  alarms.take(g1, [sample('g1', bad('timeout'))])
  alarms.tick()
  await alarms.settled()
  expect(await told('level_low:g1')).toEqual([])
  expect(await told('level_guarantee:g1')).toEqual(['raised'])
  await alarms.close()
})

test('a lost site is one alarm: its gates’ silence raises none, and what was raised before is suppressed until it is back', async () => {
  now = T0 + 10_000_000
  const alarms = await keeper()
  for (const g of gates) alarms.take(g, [sample(g.id, good(1.5))])
  alarms.heard('s1')
  alarms.site(site, false)
  for (let s = 0; s < 600; s += 10) {
    now += 10_000
    alarms.tick()
  }
  await alarms.settled()
  expect((await presentIds()).filter((id) => /^(stale|site_lost)/.test(id))).toEqual(['site_lost:s1'])
  alarms.site(site, true)
  now += 1000
  alarms.tick()
  await alarms.settled()
  expect(await told('site_lost:s1')).toEqual(['raised', 'returned'])
  await alarms.close()
})

test('while the broker is away there is one alarm, and everybody gets time to speak when it is back', async () => {
  now = T0 + 20_000_000
  const alarms = await keeper()
  for (const g of gates) alarms.take(g, [sample(g.id, good(1.5))])
  alarms.heard('s1')
  alarms.broker('+', false)
  for (let s = 0; s < 600; s += 10) {
    now += 10_000
    alarms.tick()
  }
  await alarms.settled()
  expect((await registry.alarms.present()).filter((a) => a.active && (a.raised_at ?? 0) > T0 + 20_000_000).map((a) => a.id)).toEqual([
    'broker_lost:center',
  ])
  alarms.broker('+', true)
  now += 30_000
  alarms.tick()
  await alarms.settled()
  expect(await told('broker_lost:center')).toEqual(['raised', 'returned'])
  expect(await told('stale:g3')).toEqual([])
  await alarms.close()
})

test('while the registry is away transitions wait, and so does whoever asks whether they are durable; then each is there once', async () => {
  const [, , g3] = gates
  if (!g3) throw new Error('no gate')
  now = T0 + 30_000_000
  let away = true
  const flaky: Registry['alarms'] = {
    ...registry.alarms,
    save: (rows, entries) => (away ? Promise.reject(new Error('away')) : registry.alarms.save(rows, entries)),
  }
  const alarms = await keeper(flaky)
  alarms.take(
    g3,
    [0, 11_000].map((ms) => sample('g3', good(2.5), now - 11_000 + ms)),
  )
  let durable = false
  const settled = alarms.settled()?.then(() => {
    durable = true
  })
  expect(settled).toBeDefined()
  await sleep(50)
  expect(durable).toBe(false)
  expect(await told('level_guarantee:g3')).toEqual([])
  away = false
  await settled
  expect(await told('level_guarantee:g3')).toEqual(['raised'])
  await alarms.close()
})

test('an acknowledgement holds for the occurrence it was given for; the next is unacknowledged again', async () => {
  const [changed] = await registry.alarms.act(['level_guarantee:g3'], { do: 'acknowledge' }, { who: 'wang', at: T0 })
  expect(changed).toMatchObject({ acknowledged: true, acknowledged_by: 'wang' })
  expect(await registry.alarms.act(['level_guarantee:g3'], { do: 'acknowledge' }, { who: 'li', at: T0 })).toEqual([])
  const [, , g3] = gates
  if (!g3) throw new Error('no gate')
  now = T0 + 31_000_000
  const alarms = await keeper()
  const levels = [1.5, 1.5, 2.5, 2.5]
  alarms.take(
    g3,
    levels.map((v, i) => sample('g3', good(v), now + i * 40_000)).map((s) => ({ ...s, received: s.t })),
  )
  await alarms.settled()
  expect(await registry.alarms.alarm('level_guarantee:g3')).toMatchObject({ active: true, acknowledged: false, occurrence: 2 })
  await alarms.close()
})

const value = (id: string, metric: string, v: number, t = now): Sample => ({ ...sample(id, good(v), t), metric })

test('a leaf that moves is an alarm after a minute, unless a command or an order asked for it, and none when it has stood for a while', async () => {
  const [g1, g2, g3] = gates
  if (!g1 || !g2 || !g3) throw new Error('no gates')
  now = T0 + 40_000_000
  surroundings = { commands: [], orders: [order('g3', 'executing', { kind: 'opening', opening_m: 0.5 })], canals: [] }
  const alarms = await keeper()
  const opened = async (ms: number, opening: number): Promise<void> => {
    now = T0 + 40_000_000 + ms
    for (const g of [g1, g2, g3]) alarms.take(g, [value(g.id, 'opening', opening)])
    alarms.tick()
    await alarms.settled()
  }
  await opened(0, 0.2)
  await opened(5000, 0.5)
  // The command is read some seconds after the first of its movement was seen.
  surroundings = { ...surroundings, commands: [{ structure: 'g2', state: 'moving', confirmedAt: now - 2000, updatedAt: now }] }
  now += 1000
  await alarms.refresh()
  await opened(66_000, 0.5)
  await opened(126_000, 0.5)
  expect((await presentIds()).filter((id) => id.startsWith('leaf_moved'))).toEqual(['leaf_moved:g1'])
  expect(await registry.alarms.alarm('leaf_moved:g1')).toMatchObject({ raised_at: T0 + 40_065_000, limit: 0.03, priority: 'high' })
  await opened(606_000, 0.5)
  expect(await told('leaf_moved:g1')).toEqual(['raised', 'returned'])
  expect([await told('leaf_moved:g2'), await told('leaf_moved:g3')]).toEqual([[], []])
  surroundings = { commands: [], orders: [], canals: [] }
  await alarms.close()
})

test('a gate that is off its order for ten minutes is an alarm, with a deadband, and none any more when the order is closed', async () => {
  const [g1] = gates
  if (!g1) throw new Error('no gate')
  const start = T0 + 50_000_000
  now = start
  const flow = order('g1', 'done', { kind: 'flow', flow_m3s: 10 })
  surroundings = { commands: [], orders: [{ ...flow, effectiveAt: start }], canals: [] }
  const alarms = await keeper()
  const flows = async (from: number, to: number, v: number): Promise<void> => {
    for (let s = from; s <= to; s += 60) {
      now = start + s * 1000
      alarms.take(g1, [value('g1', 'flow', v)])
    }
    alarms.tick()
    await alarms.settled()
  }
  await flows(0, 300, 8.5)
  await flows(360, 420, 9.2)
  expect(await told('order_deviation:g1')).toEqual([])
  await flows(480, 1140, 8.5)
  expect(await told('order_deviation:g1')).toEqual(['raised'])
  expect(await registry.alarms.alarm('order_deviation:g1')).toMatchObject({ value: 15, raised_at: start + 1_080_000 })
  await flows(1200, 1500, 9.2)
  expect(await told('order_deviation:g1')).toEqual(['raised'])
  surroundings = { ...surroundings, orders: [{ ...flow, state: 'closed', effectiveAt: start }] }
  now += 1000
  await alarms.refresh()
  now += 66_000
  alarms.tick()
  await alarms.settled()
  expect(await told('order_deviation:g1')).toEqual(['raised', 'returned'])
  surroundings = { commands: [], orders: [], canals: [] }
  await alarms.close()
})

test('a reach that loses a third of its water for hours is one alarm, at the gate where it ends; while it fills there is none', async () => {
  const start = T0 + 60_000_000
  const placed = gates.slice(0, 3).map((g, i) => ({
    ...g,
    canal: 'c',
    chainage_km: i * 10,
    type: i === 1 ? ('offtake' as const) : ('regulator' as const),
  }))
  const canals = [
    {
      ...{ id: 'c', name: { zh: 'c', en: 'c' }, area: 'yichang', parent: null, parent_chainage_km: null },
      length_km: 30,
      design_flow_m3s: 20,
    },
  ]
  surroundings = { commands: [], orders: [], canals }
  now = start
  const alarms = new AlarmKeeper({
    registry: registry.alarms,
    directory: { gates: () => placed, gatesOf: (id) => placed.filter((g) => g.site === id), sites: () => [site] },
    surroundings: async () => surroundings,
    log,
    now: () => now,
    holds: () => true,
    isSure: () => true,
  })
  await alarms.load()
  const hours = async (from: number, to: number, flows: readonly number[]): Promise<void> => {
    for (let minute = from * 60; minute < to * 60; minute += 5) {
      now = start + minute * 60_000
      for (const [i, g] of placed.entries()) alarms.take(g, [value(g.id, 'flow', flows[i] ?? 0)])
      alarms.tick()
    }
    await alarms.settled()
  }
  await hours(0, 4, [15, 4, 9])
  await hours(4, 4.5, [15, 4, 3])
  await hours(4.5, 8, [15, 4, 9])
  expect(await told('reach_unbalanced:g3')).toEqual([])
  await hours(8, 16, [15, 4, 6])
  expect(await told('reach_unbalanced:g3')).toEqual(['raised'])
  expect((await presentIds()).filter((id) => id.startsWith('reach_unbalanced'))).toEqual(['reach_unbalanced:g3'])
  surroundings = { commands: [], orders: [], canals: [] }
  await alarms.close()
})

test('a worker that has lost an area says nothing more of it, and the one that has it now takes each alarm up where it stood', async () => {
  const g4 = gates.at(-1)
  if (!g4) throw new Error('no gate')
  now = T0 + 200_000_000
  let holder = 'a'
  const a = await keeper(registry.alarms, { holds: () => holder === 'a' })
  a.heard('s1')
  a.take(g4, [sample('g4', good(2.5))])
  now += 12_000
  a.take(g4, [sample('g4', good(2.5))])
  await a.settled()
  expect(await told('level_guarantee:g4')).toEqual(['raised'])

  const b = await keeper(registry.alarms, { holds: () => holder === 'b' })
  b.take(g4, [sample('g4', good(2.5))])
  await b.settled()
  holder = 'b'
  a.release('yichang')
  await b.load()
  const silentBefore = await told('stale:g4')
  for (let s = 0; s < 600; s += 10) {
    now += 10_000
    b.heard('s1')
    b.take(g4, [sample('g4', good(2.5))])
    a.tick()
    b.tick()
  }
  await Promise.all([a.settled(), b.settled()])
  expect(await told('level_guarantee:g4')).toEqual(['raised'])
  expect(await told('stale:g4')).toEqual(silentBefore)
  now += 10_000
  b.take(g4, [sample('g4', good(1.5))])
  now += 60_000
  b.take(g4, [sample('g4', good(1.5))])
  await b.settled()
  expect(await told('level_guarantee:g4')).toEqual(['raised', 'returned'])
  await Promise.all([a.close(), b.close()])
})

test('a worker that stood still tells no silence before it knows that its areas are still its own', async () => {
  now = T0 + 210_000_000
  let sure = true
  const alarms = await keeper(registry.alarms, { isSure: () => sure })
  alarms.heard('s1')
  const before = await told('site_lost:s1')
  now += 3_600_000
  sure = false
  alarms.tick()
  now += 60_000
  alarms.tick()
  await alarms.settled()
  expect(await told('site_lost:s1')).toEqual(before)
  sure = true
  alarms.tick()
  now += 60_000
  alarms.tick()
  await alarms.settled()
  expect(await told('site_lost:s1')).toEqual([...before, 'raised'])
  await alarms.close()
})

test('a worker that gets an area back takes its leaves as they stand then: another has seen them move', async () => {
  const g2 = gates[1]
  if (!g2) throw new Error('no gate')
  now = T0 + 300_000_000
  let isHolder = true
  const alarms = await keeper(registry.alarms, { holds: () => isHolder })
  const opened = async (opening: number): Promise<void> => {
    alarms.take(g2, [value('g2', 'opening', opening)])
    alarms.tick()
    await alarms.settled()
  }
  await opened(0.2)
  isHolder = false
  alarms.release('yichang')
  now += 3_600_000
  isHolder = true
  await alarms.load()
  await opened(0.8)
  now += 70_000
  await opened(0.8)
  expect(await told('leaf_moved:g2')).toEqual([])
  // One that it sees itself is told.
  await opened(1.1)
  now += 70_000
  await opened(1.1)
  expect(await told('leaf_moved:g2')).toEqual(['raised'])
  await alarms.close()
})
