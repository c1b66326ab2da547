import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { District } from '#contract/district.ts'
import { bad, good, type Reading } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { Sample } from '#history/port.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { copyRegistry } from '#test/support/registry-template.ts'
import { tempFolder } from '#test/support/servers.ts'
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
const gates = ['g1', 'g2', 'g3'].map(gate)
const directory = { gates: () => gates, sites: () => [site] }
let registry: Registry
let now = T0

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
async function keeper(of: Registry['alarms'] = registry.alarms): Promise<AlarmKeeper> {
  const opened = new AlarmKeeper({ registry: of, directory, log, now: () => now })
  await opened.load()
  return opened
}
const told = async (alarm: string): Promise<string[]> =>
  (await registry.alarms.journal({ alarm }, { limit: 100, offset: 0 })).items.map((e) => e.event).reverse()
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
