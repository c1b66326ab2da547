import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Canal, District, StructureType } from '#contract/district.ts'
import type { PlanReport } from '#contract/http/plan.ts'
import type { Situation } from '#contract/http/situation.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { openHistory } from '#history/open.ts'
import type { History } from '#history/port.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { copyRegistry } from '#test/support/registry-template.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../../app.ts'
import { ensurePerson } from '../../auth/ensure-person.ts'
import { DISTRICT, structure } from '../../testing/district.ts'
import { expectProblem } from '../../testing/problem.ts'
import { cookieOf, LOG, NO_BROKER, PASSWORD, startApp } from '../../testing/start-api.ts'

const HOUR = 3_600_000
/** Noon in Beijing, four hours into the water day. */
const NOW = Date.UTC(2026, 9, 10, 4)
const name = { zh: '渠', en: 'Canal' }
const canal = (id: string, area: string, parent: string | null): Canal => ({
  ...{ id, name, area, parent, parent_chainage_km: parent === null ? null : 5, length_km: 10, design_flow_m3s: 20 },
})
const gate = (id: string, area: string, on: { canal: string; type: StructureType; at: number }) => ({
  ...structure(id, { area, canal: on.canal, site: area === 'yichang' ? 'yc-s012' : 'wl-s001' }),
  type: on.type,
  design_flow_m3s: id === 'head' ? 20 : 10,
  chainage_km: on.at,
})
/** A river feeds one canal in each area; from that of yichang a branch leaves above the check structure. */
const RIVERSIDE: District = {
  ...DISTRICT,
  canals: [
    ...[canal('river', 'wulanbuhe', null), canal('main', 'yichang', 'river')],
    ...[canal('branch', 'yichang', 'main'), canal('far', 'wulanbuhe', 'river')],
  ],
  structures: [
    ...[
      gate('head', 'yichang', { canal: 'main', type: 'head', at: 0 }),
      gate('check', 'yichang', { canal: 'main', type: 'regulator', at: 8 }),
    ],
    ...[
      gate('off', 'yichang', { canal: 'branch', type: 'offtake', at: 0 }),
      gate('far-head', 'wulanbuhe', { canal: 'far', type: 'head', at: 0 }),
    ],
  ],
}

const folder = tempFolder('situation')
let registry: Registry
let history: History
let app: App
beforeAll(async () => {
  registry = await openRegistry(await copyRegistry(join(folder, 'registry')), { log: LOG, migrationsFolder: 'registry/migrations' })
  history = await openHistory(`duckdb:${join(folder, 'history.duckdb')}`, { log: LOG })
  await registry.district.seed(RIVERSIDE)
  await ensurePerson(registry, { login: 'chief', password: PASSWORD, name: 'chief', grants: [{ role: 'viewer', area: null }] })
  await ensurePerson(registry, { login: 'wang', password: PASSWORD, name: 'wang', grants: [{ role: 'viewer', area: 'yichang' }] })
  // 10 m³/s come in, 3 leave by the branch, 2 arrive: half of it is gone. The leaf of the branch was opened in the last hour.
  await flow(1, 0, { head: 10, check: 2, off: 3, 'far-head': 4 })
  const leaf = ([ago, value]: [number, number]) => {
    const t = unixMs(NOW - ago * HOUR)
    return { gate: 'off', metric: 'opening', t, received: t, reading: good(value) }
  }
  const moved = (
    [
      [1.5, 0.2],
      [0.5, 0.6],
    ] as [number, number][]
  ).map(leaf)
  expect(await history.write(moved, { rewrite: false })).toEqual({ kind: 'kept' })
  await registry.orders.putPlans([{ structure: 'head', from: NOW - 24 * HOUR, kind: 'tenday', volumeM3: 500_000, by: 'x', at: NOW }], {
    at: NOW,
    who: 'x',
    action: 'plan.set',
    subject: 'head',
    details: {},
  })
  app = (await startApp({ registry, history, mqttUrl: NO_BROKER, now: () => NOW })).app
})
afterAll(async () => {
  await app?.close()
  await history?.close()
  await registry?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** From so many days before now until so many. */
async function flow(fromDays: number, toDays: number, flows: Readonly<Record<string, number>>): Promise<void> {
  const steps = Math.round((fromDays - toDays) * 144)
  const samples = Object.entries(flows).flatMap(([id, value]) =>
    Array.from({ length: steps + 1 }, (_, i) => {
      const t = unixMs(NOW - fromDays * 24 * HOUR + i * 600_000)
      return { gate: id, metric: 'flow', t, received: t, reading: good(value) }
    }),
  )
  expect(await history.write(samples, { rewrite: false })).toEqual({ kind: 'kept' })
}

async function situationOf(login: string): Promise<Situation> {
  const reply = await app.inject({ url: '/api/v1/situation', headers: { cookie: await cookieOf(app, login) } })
  expect(reply.statusCode).toBe(200)
  return reply.json<Situation>()
}

test('what the district takes from the river since 08:00 and this season stands with its plan', async () => {
  const { intakes, today, season } = await situationOf('chief')
  expect(intakes).toEqual(['head', 'far-head'])
  expect(today).toMatchObject({ from: NOW - 4 * HOUR, to: NOW + 20 * HOUR })
  expect(today.volume_m3).toBeCloseTo(14 * 4 * 3600, 0)
  expect(season).toMatchObject({ name: 'leaching', plan_m3: 500_000 })
  expect(season.volume_m3).toBeCloseTo(14 * 24 * 3600, 0)
  expect(season.completeness).toBeLessThan(0.1)
})

test('a reach in which half of the water is lost is out of balance, and the leaf that was opened is told', async () => {
  const { reaches, changes } = await situationOf('chief')
  expect(reaches).toHaveLength(1)
  expect(reaches[0]).toMatchObject({ canal: 'main', up: 'head', down: 'check', offtakes: ['off'], out_of_balance: true })
  expect(reaches[0]?.loss_share).toBeCloseTo(0.5, 3)
  expect(reaches[0]?.usual_share).toBeNull()
  expect(changes).toEqual([{ gate: 'off', metric: 'opening', before: 0.2, after: 0.6 }])
})

test('a reach that loses to its fields what it lost in the week before is in balance; one that lost less then is not', async () => {
  const over = async (check: number): Promise<Situation['reaches'][number] | undefined> => {
    await flow(8, 1.01, { head: 10, check, off: 3 })
    const fresh = await startApp({ registry, history, mqttUrl: NO_BROKER, now: () => NOW })
    const reply = await fresh.app.inject({ url: '/api/v1/situation', headers: { cookie: await cookieOf(fresh.app, 'chief') } })
    await fresh.app.close()
    return reply.json<Situation>().reaches[0]
  }
  const as = await over(2)
  expect(as).toMatchObject({ out_of_balance: false })
  expect(as?.usual_share).toBeCloseTo(0.5, 2)
  const less = await over(5)
  expect(less).toMatchObject({ out_of_balance: true })
  expect(less?.usual_share).toBeCloseTo(0.2, 2)
})

test('who sees one area is told of that area’s water alone', async () => {
  const { intakes, today, reaches } = await situationOf('wang')
  expect(intakes).toEqual(['head'])
  expect(today.volume_m3).toBeCloseTo(10 * 4 * 3600, 0)
  expect(reaches).toHaveLength(1)
})

test('an intake’s ten days are planned by a supervisor against its quota, and the season’s use is told with where it is going', async () => {
  await ensurePerson(registry, { login: 'sun', password: PASSWORD, name: 'sun', grants: [{ role: 'supervisor', area: 'yichang' }] })
  const ask = async (who: string, method: 'GET' | 'PUT', path: string, payload?: object) =>
    app.inject({ method, url: `/api/v1${path}`, headers: { cookie: await cookieOf(app, who) }, ...(payload && { payload }) })
  const report = async (who: string) => (await ask(who, 'GET', '/plans')).json<PlanReport>()
  const before = await report('sun')
  const running = before.periods.findIndex((p) => p.from <= NOW && NOW < p.to)
  const [now, next] = [before.periods[running], before.periods[running + 1]]
  if (!now || !next) throw new Error('the clock of this file stands at the end of a water year')
  const set = (...items: object[]) => ({ items })
  const plan = { kind: 'tenday', from: next.from, volume_m3: 300_000 }
  for (const who of ['wang', 'chief']) expectProblem(await ask(who, 'PUT', '/gates/head/plans', set(plan)), 403, 'NOT_ALLOWED')
  expectProblem(await ask('sun', 'PUT', '/gates/far-head/plans', set(plan)), 403, 'NOT_ALLOWED')
  expectProblem(await ask('sun', 'PUT', '/gates/check/plans', set(plan)), 400, 'BAD_REQUEST')
  expectProblem(await ask('sun', 'PUT', '/gates/head/plans', set({ ...plan, from: next.from + HOUR })), 400, 'BAD_REQUEST')
  const quota = { kind: 'quota', from: before.year.from, volume_m3: 9_000_000 }
  expect((await ask('sun', 'PUT', '/gates/head/plans', set(plan, { ...plan, from: now.from, volume_m3: 200_000 }, quota))).statusCode).toBe(
    204,
  )
  expect((await ask('sun', 'PUT', '/gates/head/plans', set({ ...plan, volume_m3: 400_000 }))).statusCode).toBe(204)
  const [changed] = (await registry.audit.list({ action: 'plan.set' }, { limit: 1, offset: 0 })).items
  expect(changed).toMatchObject({
    who: 'sun',
    subject: 'head',
    details: { before: { [next.key]: 300_000 }, after: { [next.key]: 400_000 } },
  })

  const { intakes } = await report('sun')
  expect(intakes.map((i) => i.structure)).toEqual(['head'])
  const head = intakes[0]
  expect(head).toMatchObject({ may_edit: true, quota_m3: 9_000_000 })
  expect([head?.planned_m3[running], head?.planned_m3[running + 1]]).toEqual([200_000, 400_000])
  // 10 m³/s for the last hour, spread where more is known.
  expect(head?.used_m3[running]).toBeGreaterThan(30_000)
  expect(head?.used_m3[running + 1]).toBeNull()
  const gone = (NOW - now.from) / (now.to - now.from)
  const { used_m3: used, planned_to_now_m3: due, by_plan_m3: byPlan, completeness } = head?.year ?? {}
  // Months of the year have nothing at all, and yet what is known of it is told.
  expect(completeness).toBeGreaterThan(0)
  expect(completeness).toBeLessThan(0.5)
  expect(due).toBeCloseTo(200_000 * gone, 0)
  expect(byPlan).toBeCloseTo((used ?? Number.NaN) + 600_000 - 200_000 * gone, 0)
  expect((await report('wang')).intakes.map((i) => i.may_edit)).toEqual([false])
})
