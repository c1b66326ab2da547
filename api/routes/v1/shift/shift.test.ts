import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ruleId } from '#contract/alarm.ts'
import type { Handover, OpenList, ShiftEntry, ShiftEntryList } from '#contract/http/shift-log.ts'
import { unixMs } from '#contract/units.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../../../app.ts'
import { ensurePerson } from '../../../auth/ensure-person.ts'
import { expectProblem } from '../../../testing/problem.ts'
import { type AuditEntry, cookieOf, NO_BROKER, openStores, PASSWORD, type Stores, startApp } from '../../../testing/start-api.ts'

const T = 1_790_000_000_000
const folder = tempFolder('shift')
let stores: Stores
let app: App
let audited: AuditEntry[]
const cookies: Record<string, string> = {}
beforeAll(async () => {
  stores = await openStores(folder)
  const { registry } = stores
  await ensurePerson(registry, { login: 'far', name: 'far', password: PASSWORD, grants: [{ role: 'dispatcher', area: 'wulanbuhe' }] })
  const started = await startApp({ ...stores, mqttUrl: NO_BROKER, settings: { sign_in: { tries_per_minute: 1000 } } })
  app = started.app
  audited = started.audited
  for (const login of ['wang', 'engineer', 'far', 'chief']) cookies[login] = await cookieOf(app, login)
  await registry.control.lockOut(
    { id: 'tag-1', structure: 'yc-zh-04', reason: '检修', by: 'li', byName: 'li', at: unixMs(T), until: T * 2 },
    { at: T, who: 'li', action: 'lockout.tag', subject: 'yc-zh-04', details: {} },
  )
  const alarm = { id: ruleId('door_open', 'yc-zh-03'), kind: 'door_open', area: 'yichang', site: 'yc-s012', gate: 'yc-zh-03' } as const
  const times = { since: T, clearSince: null, sampleAt: T, raisedAt: T, returnedAt: null }
  await registry.alarms.save(
    [{ ...alarm, ...times, priority: 'low', phase: 'active', occurrence: 1, value: 1, limit: 0.5, suppressed: false }],
    [],
  )
}, 120_000)
afterAll(async () => {
  await app?.close()
  await stores?.close()
  rmSync(folder, { recursive: true, force: true })
})

const as = (login: string) => ({ cookie: cookies[login] ?? '' })
const get = async <T>(login: string, path: string) => (await app.inject({ url: `/api/v1/shift/${path}`, headers: as(login) })).json<T>()
const post = (login: string, path: string, payload?: object) =>
  app.inject({ method: 'POST', url: `/api/v1/shift/${path}`, headers: as(login), ...(payload ? { payload } : {}) })

test('what a dispatcher writes of a gate is of its area, is audited, and nobody else’s area reads it', async () => {
  const written = await post('wang', 'entries', { text: ' 开启 2 孔 ', gate: 'yc-zh-03', open: true })
  expect(written.statusCode).toBe(201)
  const entry = written.json<ShiftEntry>()
  expect(entry).toMatchObject({ text: '开启 2 孔', area: 'yichang', gate: 'yc-zh-03', by: 'wang', open: true })
  expect(audited.at(-1)).toMatchObject({ who: 'wang', action: 'shift.entry', subject: String(entry.id) })
  expect((await get<ShiftEntryList>('engineer', 'entries')).items).toEqual([entry])
  expect((await get<ShiftEntryList>('far', 'entries')).items).toEqual([])
  expectProblem(await post('far', 'entries', { text: 'x', gate: 'yc-zh-03' }), 403, 'NOT_ALLOWED')
  expectProblem(await post('chief', 'entries', { text: 'x' }), 403, 'NOT_ALLOWED')
  expectProblem(await post('far', `entries/${entry.id}/close`), 404, 'NOT_FOUND')
  expectProblem(await post('wang', 'entries', { text: '  ' }), 400, 'BAD_REQUEST')
})

test('a correction is an entry of its own and leaves the old one as it was', async () => {
  const [first] = (await get<ShiftEntryList>('wang', 'entries')).items
  const amended = await post('engineer', 'entries', { text: '开启 3 孔', amends: first?.id, gate: 'yc-zh-03' })
  expect(amended.json()).toMatchObject({ amends: first?.id })
  expect((await get<ShiftEntryList>('wang', 'entries?gate=yc-zh-03')).items.map((e) => e.text)).toEqual(['开启 3 孔', '开启 2 孔'])
  expectProblem(await post('engineer', 'entries', { text: 'x', amends: 9999 }), 404, 'NOT_FOUND')
})

test('a handover keeps what was open, and is taken once, by somebody else', async () => {
  const before = await get<OpenList>('wang', 'open')
  expect(before.items.map((i) => i.kind).sort()).toEqual(['alarm', 'entry', 'tag'])
  expect((await get<OpenList>('far', 'open')).items).toEqual([])
  const given = (await post('wang', 'handovers', { note: '注意三闸', area: 'yichang' })).json<Handover>()
  expect(given.items).toEqual(before.items)
  const entry = before.items.find((i) => i.kind === 'entry')
  expect((await post('engineer', `entries/${entry?.id}/close`)).json()).toMatchObject({ open: false, closed_by: 'engineer' })
  expectProblem(await post('engineer', `entries/${entry?.id}/close`), 409, 'CONFLICT')
  expect((await get<OpenList>('wang', 'open')).items).toHaveLength(2)
  expectProblem(await post('wang', `handovers/${given.id}/take`), 403, 'NOT_ALLOWED')
  expectProblem(await post('far', `handovers/${given.id}/take`), 404, 'NOT_FOUND')
  expect((await post('engineer', `handovers/${given.id}/take`)).json()).toMatchObject({
    taken_by: 'engineer',
    taken_by_name: 'engineer',
    items: before.items,
  })
  expectProblem(await post('engineer', `handovers/${given.id}/take`), 409, 'CONFLICT')
  expect(audited.slice(-3).map((a) => a.action)).toEqual(['shift.hand_over', 'shift.close', 'shift.take'])
})
