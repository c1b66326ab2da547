import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { strFromU8, unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  CalibrationReply,
  CorrectionView,
  FlowExplained,
  FlowMethodList,
  ImportReport,
  ManualReadingList,
} from '#contract/http/analysis.ts'
import type { LedgerReply } from '#contract/http/ledger.ts'
import type { ReportIssueView } from '#contract/http/report.ts'
import type { VolumeReply } from '#contract/http/volume.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { Sample } from '#history/port.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../../../app.ts'
import { expectProblem } from '../../../testing/problem.ts'
import { type AuditEntry, cookieOf, NO_BROKER, openStores, type Stores, startApp } from '../../../testing/start-api.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
// 2026-07-01 08:00 in Asia/Shanghai.
const D0 = Date.UTC(2026, 6, 1)
const GATE = 'yc-zh-03'
const folder = tempFolder('analysis')
let stores: Stores
let app: App
let audited: AuditEntry[]
let chief: string
let wang: string

beforeAll(async () => {
  stores = await openStores(folder)
  const started = await startApp({
    ...stores,
    mqttUrl: NO_BROKER,
    now: () => D0 + 30 * HOUR,
    settings: { sign_in: { tries_per_minute: 1000 } },
  })
  app = started.app
  audited = started.audited
  ;[chief, wang] = [await cookieOf(app, 'chief'), await cookieOf(app, 'wang')]
})
afterAll(async () => {
  await app.close()
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

const sample = (metric: string, t: number, value: number, delay = 1000): Sample => ({
  gate: GATE,
  metric,
  t: unixMs(t),
  received: unixMs(t + delay),
  reading: good(value),
})
const keep = async (samples: readonly Sample[]): Promise<void> => {
  expect(await stores.history.write(samples, { rewrite: true })).toEqual({ kind: 'kept' })
}
const get = async <T>(path: string, cookie = chief): Promise<T> => {
  const reply = await app.inject({ url: `/api/v1${path}`, headers: { cookie } })
  expect([reply.statusCode, reply.statusCode === 200 ? '' : reply.body]).toEqual([200, ''])
  return reply.json<T>()
}
const send = (method: 'POST' | 'PUT', path: string, payload: object, cookie = chief) =>
  app.inject({ method, url: `/api/v1${path}`, payload, headers: { cookie } })
const span = (from: number, to: number): string => `from=${from}&to=${to}`

describe('corrections', () => {
  const day = span(D0, D0 + 24 * HOUR)
  const volume = async (): Promise<VolumeReply['periods'][number] | undefined> =>
    (await get<VolumeReply>(`/gates/${GATE}/volume?${day}&step=day&metric=flow`)).periods[0]

  test('a stretch that is replaced changes the volume and says so; withdrawn, the measured volume is there again', async () => {
    const minutes = Array.from({ length: 24 * 12 + 1 }, (_, i) => D0 + i * 5 * MINUTE)
    await keep(minutes.map((t) => sample('flow', t, 10)))
    expect(await volume()).toMatchObject({ volume_m3: expect.closeTo(864_000, 0), corrected: false, completeness: 1 })
    const ruling = {
      metric: 'flow',
      from: D0 + 6 * HOUR,
      to: D0 + 12 * HOUR,
      ruling: { kind: 'value', value: 4 },
      reason: '水草缠绕流速仪',
    }
    const added = await send('POST', `/gates/${GATE}/corrections`, ruling)
    expect(added.statusCode).toBe(201)
    const found = await volume()
    // Six hours at 4 in place of 10, and half a step of 5 minutes on either side where the line leads from one to the other.
    expect(found?.volume_m3).toBeGreaterThan(864_000 - 6 * 3600 * 6 - 2 * 300 * 6)
    expect(found?.volume_m3).toBeLessThan(864_000 - 6 * 3600 * 6 + 2 * 300 * 6)
    expect(found).toMatchObject({ corrected: true, completeness: 1 })
    const { id } = added.json<CorrectionView>()
    expect((await send('POST', `/corrections/${id}/withdraw`, { why: 'wrong gate' })).json()).toMatchObject({ withdrawn_by: 'chief' })
    expectProblem(await send('POST', `/corrections/${id}/withdraw`, { why: 'again' }), 409, 'CONFLICT')
    expect(await volume()).toMatchObject({ volume_m3: expect.closeTo(864_000, 0), corrected: false })
    expect(audited.slice(-2).map((e) => [e.who, e.action])).toEqual([
      ['chief', 'correction.add'],
      ['chief', 'correction.withdraw'],
    ])
  })

  test('a dispatcher may not correct, and a ruling needs a reason and a metric that is known', async () => {
    const ruling = { metric: 'flow', from: D0, to: D0 + 1, ruling: { kind: 'bad' }, reason: 'because' }
    expectProblem(await send('POST', `/gates/${GATE}/corrections`, ruling, wang), 403, 'NOT_ALLOWED')
    expectProblem(await send('POST', `/gates/${GATE}/corrections`, { ...ruling, reason: '' }), 400, 'BAD_REQUEST')
    expectProblem(await send('POST', `/gates/${GATE}/corrections`, { ...ruling, metric: 'depth' }), 400, 'BAD_REQUEST')
    expectProblem(await send('POST', `/gates/${GATE}/corrections`, { ...ruling, to: D0 }), 400, 'BAD_REQUEST')
  })
})

test('the ledger tells what came live, late and not at all, what the agent lost and what was corrected, after the backlog is there', async () => {
  const gate = 'yc-zh-04'
  const at = (minute: number, delay: number): Sample => ({ ...sample('level_up', D0 + minute * MINUTE, 1.5, delay), gate })
  const live = [0, 1, 2, 3, 4, 50, 51].map((m) => at(m, 900))
  const late = Array.from({ length: 15 }, (_, i) => at(5 + i, 30 * MINUTE))
  await keep([...live, ...late])
  await stores.registry.gaps.recordLost([
    {
      node: { group: 'yichang', node: 'yc-s012' },
      batch: 9n,
      records: [{ structure: gate, from: D0 + 21 * MINUTE, to: D0 + 40 * MINUTE, readings: 240, why: 'outbox_full' }],
      at: unixMs(D0 + HOUR),
    },
  ])
  await send('POST', `/gates/${gate}/corrections`, {
    metric: 'level_up',
    from: D0 + MINUTE,
    to: D0 + 2 * MINUTE,
    ruling: { kind: 'bad' },
    reason: '水面结冰',
  })
  const { entries } = await get<LedgerReply>(`/sites/yc-s012/ledger?${span(D0, D0 + 55 * MINUTE)}`)
  const mine = entries.filter((e) => e.gate === gate).map((e) => [e.kind, (e.from - D0) / MINUTE, (e.to - D0) / MINUTE, e.readings])
  expect(mine).toEqual([
    ['live', 0, 4, 5],
    ['corrected', 1, 2, null],
    ['late', 5, 19, 15],
    ['missing', 19, 50, 0],
    ['lost', 21, 40, 240],
    ['live', 50, 51, 2],
  ])
})

describe('readings by hand and calibration', () => {
  test('a staff gauge is entered once and stands beside what the sensor said', async () => {
    await keep([sample('level_down', D0 + 10 * MINUTE, 1.48)])
    const reading = { gate: GATE, kind: 'level_down', t: D0 + 12 * MINUTE, value: 1.45, observer: '张三' }
    expect((await send('POST', '/manual-readings', { readings: [reading] }, wang)).json()).toEqual({ added: 1, there: 0, refused: [] })
    expect((await send('POST', '/manual-readings', { readings: [reading, { ...reading, value: 99 }] }, wang)).json()).toEqual({
      added: 0,
      there: 1,
      refused: [{ row: 2, reason: expect.stringContaining('99 m is outside') }],
    })
    const { items } = await get<ManualReadingList>(`/gates/${GATE}/manual-readings?${span(D0, D0 + HOUR)}`)
    expect(items).toMatchObject([
      { value: 1.45, sensor: 1.48, sensor_metric: 'level_down', difference: expect.closeTo(0.03, 6), by: 'wang' },
    ])
  })

  test('a CSV in Chinese is taken row by row; each refused row says why, and the same file again adds nothing', async () => {
    const csv = `\uFEFF闸门,项目,时间,数值,观测员,备注
${GATE},闸上水尺,2026-07-01 09:00,1.60,李四,"风浪, 读数不稳"
${GATE},闸上水尺,2026-07-01 25:00,1.60,李四,
nowhere,闸上水尺,2026-07-01 09:00,1.60,李四,
${GATE},闸上水尺,2026-07-01 10:00,一米六,李四,
wl-zh-01,flow,2026-07-01T09:00:00+08:00,3.2,李四,
`
    const first = (await send('POST', '/manual-readings/csv', { csv }, wang)).json<ImportReport>()
    expect([first.added, first.refused.map((r) => r.row)]).toEqual([1, [2, 3, 4, 5]])
    expect(first.refused[0]?.reason).toContain('2026-07-01 25:00')
    expect(first.refused[3]?.reason).toBe('there is no gate wl-zh-01')
    expect((await send('POST', '/manual-readings/csv', { csv }, wang)).json()).toMatchObject({ added: 0, there: 1 })
    const { items } = await get<ManualReadingList>(`/gates/${GATE}/manual-readings?${span(D0 + HOUR, D0 + HOUR + 1)}`)
    expect(items).toMatchObject([{ note: '风浪, 读数不稳', value: 1.6 }])
  })

  test('three gaugings fit a factor, which set from a date on is what the flow is derived with from then on', async () => {
    const gauged = [0, 1, 2].map((i) => D0 + (2 + i) * HOUR)
    for (const t of gauged) {
      await keep([sample('level_up', t, 2), sample('level_down', t, 0.4), sample('opening', t, 0.4), sample('opening_2', t, 0.4)])
    }
    const explained = await get<FlowExplained>(`/gates/${GATE}/flow?at=${gauged[0]}`)
    expect(explained).toMatchObject({ regime: 'free', method: { source: 'default' }, flags: [], reason: null })
    const computed = explained.flow_m3s ?? 0
    const readings = gauged.map((t, i) => ({ gate: GATE, kind: 'flow', t, value: computed * (0.9 + 0.01 * i), observer: '王五' }))
    await send('POST', '/manual-readings', { readings })
    const { fit, gaugings } = await get<CalibrationReply>(`/gates/${GATE}/calibration?${span(D0, D0 + 24 * HOUR)}`)
    expect(fit).toMatchObject({ n: 3, factor: expect.closeTo(0.91, 6) })
    expect(gaugings.map((g) => g.residual_share)).toEqual([expect.closeTo(-0.011, 3), expect.closeTo(0, 6), expect.closeTo(0.011, 3)])
    const method = {
      from: gauged[1],
      formula: explained.method.formula,
      factor: fit?.factor,
      uncertainty: fit?.uncertainty,
      source: 'calibrated',
    }
    expectProblem(await send('POST', `/gates/${GATE}/flow-methods`, method, wang), 403, 'NOT_ALLOWED')
    expect((await send('POST', `/gates/${GATE}/flow-methods`, method)).statusCode).toBe(201)
    const flowAt = async (t = 0): Promise<number> => (await get<FlowExplained>(`/gates/${GATE}/flow?at=${t}`)).flow_m3s ?? 0
    expect(await flowAt(gauged[0])).toBeCloseTo(computed, 9)
    expect(await flowAt(gauged[2])).toBeCloseTo(computed * 0.91, 9)
    expect((await get<FlowMethodList>(`/gates/${GATE}/flow-methods`)).methods).toMatchObject([{ source: 'calibrated', by: 'chief' }])
    // What was stored before is derived anew when an analyst asks for it.
    const derivedOf = async (): Promise<Sample[]> => {
      const found: Sample[] = []
      for await (const s of stores.history.samples({
        gate: GATE,
        metrics: ['flow_derived'],
        from: unixMs(D0 + HOUR),
        to: unixMs(D0 + 6 * HOUR),
      }))
        found.push(s)
      return found
    }
    expect(await derivedOf()).toEqual([])
    const hours = { from: D0 + HOUR, to: D0 + 6 * HOUR }
    expectProblem(await send('POST', `/gates/${GATE}/derived-flow`, hours, wang), 403, 'NOT_ALLOWED')
    expect((await send('POST', `/gates/${GATE}/derived-flow`, hours)).json()).toEqual({ derived: 3 })
    expect((await derivedOf()).map((s) => [s.t, s.reading.quality === 'good' && s.reading.value / computed])).toEqual([
      [gauged[0], expect.closeTo(1, 9)],
      [gauged[1], expect.closeTo(0.91, 9)],
      [gauged[2], expect.closeTo(0.91, 9)],
    ])
    expect((await send('POST', `/gates/${GATE}/derived-flow`, hours)).json()).toEqual({ derived: 3 })
    expect(await derivedOf()).toHaveLength(3)
    // Calibrating again starts from the published method, not from the factor that is set.
    expect((await get<CalibrationReply>(`/gates/${GATE}/calibration?${span(D0, D0 + 24 * HOUR)}`)).fit?.factor).toBeCloseTo(0.91, 6)
  })

  test('where nothing is known of the levels there is no flow, but a reason', async () => {
    const found = await get<FlowExplained>(`/gates/${GATE}/flow?at=${D0 + 20 * HOUR}`)
    expect(found).toMatchObject({ flow_m3s: null, reason: expect.stringContaining('level_up'), measured_m3s: 10 })
  })

  test('a rule for verdicts is set for a metric and read back', async () => {
    const rule = { hard: [0, 3], soft_by_month: { 1: [0.2, 1] } }
    expect((await send('PUT', `/gates/${GATE}/verdict-rules/level_up`, rule)).json()).toEqual(rule)
    expect(await get(`/gates/${GATE}/verdict-rules`)).toEqual({ rules: [{ metric: 'level_up', rule, set_by: 'chief' }] })
    expectProblem(await send('PUT', `/gates/${GATE}/verdict-rules/depth`, rule), 400, 'BAD_REQUEST')
  })
})

describe('reports', () => {
  const D1 = D0 - 24 * HOUR
  const day = `at=${D1 + HOUR}&area=yichang`
  const issue = async (cookie = chief) => await send('POST', '/reports/day/issues', { at: D1 + HOUR, area: 'yichang' }, cookie)
  const steps = Array.from({ length: 24 * 12 + 1 }, (_, i) => D1 + i * 5 * MINUTE)
  const rowsOf = (view: ReportIssueView) => view.content.areas.flatMap((a) => a.canals.flatMap((c) => c.rows))

  test('a day’s report runs from 08:00 to 08:00, names each gate with its completeness and the metric that it is of', async () => {
    await keep(steps.slice(0, 145).map((t) => ({ ...sample('flow', t, 8), gate: 'yc-zh-03' })))
    await keep(steps.map((t) => ({ ...sample('flow_derived', t, 5), gate: 'yc-zh-04' })))
    const view = await get<ReportIssueView>(`/reports/day?${day}`)
    expect(view).toMatchObject({ issue: null, is_current: false, content: { period: '2026-06-30', from: D1, to: D0, area: 'yichang' } })
    expect(rowsOf(view)).toMatchObject([
      { gate: 'yc-zh-03', metric: 'flow', volume_m3: expect.closeTo(8 * 43_200, 3), completeness: expect.closeTo(0.5, 6), max_flow_m3s: 8 },
      { gate: 'yc-zh-04', metric: 'flow_derived', volume_m3: expect.closeTo(5 * 86_400, 3), completeness: 1 },
    ])
  })

  test('it is issued once; when late data has changed a figure it is issued again, with the gate named', async () => {
    expectProblem(await issue(wang), 403, 'NOT_ALLOWED')
    expect((await issue()).json()).toMatchObject({ issue: 1, issued_by: 'chief', changed: [], is_current: true })
    expect((await issue()).json()).toMatchObject({ issue: 1 })
    await keep(steps.slice(145).map((t) => ({ ...sample('flow', t, 8, 40 * HOUR), gate: 'yc-zh-03' })))
    expect(await get(`/reports/day?${day}`)).toMatchObject({
      issue: 1,
      is_current: false,
      shown: null,
      compared_with: 1,
      changed: ['yc-zh-03'],
      before: { 'yc-zh-03': { volume_m3: expect.closeTo(8 * 43_200, 3), completeness: expect.closeTo(0.5, 6) } },
    })
    expect((await issue()).json()).toMatchObject({ issue: 2, changed: ['yc-zh-03'], is_current: true })
    expect(audited.filter((e) => e.action === 'report.issue').map((e) => e.details['issue'])).toEqual([1, 2])
  })

  test('what was issued first is kept with its figures; the whole district’s report starts its own numbers', async () => {
    const first = await get<ReportIssueView>(`/reports/day?${day}&issue=1`)
    expect(first).toMatchObject({ shown: 1, issue: 2, compared_with: null, changed: [], is_current: true })
    expect(rowsOf(first)).toMatchObject([{ gate: 'yc-zh-03', volume_m3: expect.closeTo(8 * 43_200, 3) }, { gate: 'yc-zh-04' }])
    const second = await get<ReportIssueView>(`/reports/day?${day}&issue=2`)
    expect(second).toMatchObject({ shown: 2, compared_with: 1, changed: ['yc-zh-03'], issues: [{ issue: 1, by: 'chief' }, { issue: 2 }] })
    expectProblem(await app.inject({ url: `/api/v1/reports/day?${day}&issue=3`, headers: { cookie: chief } }), 404, 'NOT_FOUND')
    expect(await get(`/reports/day?at=${D1 + HOUR}`)).toMatchObject({ issue: null, issues: [], content: { area: null } })
  })

  test('where no day is named the report is of the last one that is over', async () => {
    expect(await get(`/reports/day?area=yichang`)).toMatchObject({ running: false, content: { from: D0, to: D0 + 24 * HOUR } })
    expect(await get(`/reports/day?at=${D0 + 25 * HOUR}`)).toMatchObject({ running: true, content: { to: D0 + 30 * HOUR } })
    expectProblem(await send('POST', '/reports/day/issues', { at: D0 + 25 * HOUR }), 409, 'CONFLICT')
  })

  test('its PDF says the same in Chinese, with its own font, and which issue it is', async () => {
    const reply = await app.inject({ url: `/api/v1/reports/day/pdf?${day}&issue=2`, headers: { cookie: chief } })
    expect(reply.headers['content-disposition']).toBe('attachment; filename="sluice-day-2026-06-30-issue-2.pdf"')
    const text = spawnSync('pdftotext', ['-layout', '-', '-'], { input: reply.rawPayload }).stdout.toString()
    expect(text).toContain('水量日报 2026年6月30日')
    expect(text).toContain('第 2 次签发，chief')
    const [gate] = rowsOf(await get<ReportIssueView>(`/reports/day?${day}&issue=2`))
    // 8 m³/s for a day: 69.12 万m³ and 8 流量日.
    expect(text).toMatch(new RegExp(`${gate?.name.zh}.* 实测 +69\\.120 +[\\d.]+ +8\\.00 .*变`))
    const fonts = spawnSync('pdffonts', ['-'], { input: reply.rawPayload }).stdout.toString()
    expect(fonts).toMatch(/NotoSansSC\S* +CID TrueType +Identity-H +yes yes yes/)
  })

  test('its workbook holds the figures of the API, and marks what was issued again', async () => {
    const view = await get<ReportIssueView>(`/reports/day?${day}`)
    const reply = await app.inject({ url: `/api/v1/reports/day/xlsx?${day}`, headers: { cookie: chief } })
    expect(reply.headers['content-disposition']).toBe('attachment; filename="sluice-day-2026-06-30.xlsx"')
    const files = unzipSync(new Uint8Array(reply.rawPayload))
    const xml = strFromU8(files['xl/worksheets/sheet1.xml'] ?? new Uint8Array())
    const cells = (row: string): string[] =>
      [...row.matchAll(/<c\/>|<c><v>([^<]*)<\/v><\/c>|<c t="inlineStr"><is><t>([^<]*)<\/t><\/is><\/c>/g)].map((m) => m[1] ?? m[2] ?? '')
    const [title, , issued, columns, ...rows] = [...xml.matchAll(/<row>(.*?)<\/row>/g)].map((m) => cells(m[1] ?? ''))
    expect(title).toEqual(['yichang 水量日报 2026年6月30日'])
    expect(issued?.[0]).toContain('第 2 次签发，chief. 更正签发')
    const at = (name: string): number => columns?.indexOf(name) ?? -1
    const [m3, wan, complete, mark] = [at('水量 m³'), at('水量 万m³'), at('完整率'), at('标注')]
    const told = rows.map((r) => [Number(r[m3]), Number(r[wan]), Number(r[complete]), r[mark] ?? ''])
    const figures = (of: { volume_m3: number | null; completeness: number }, marked: string) => [
      of.volume_m3 ?? 0,
      (of.volume_m3 ?? 0) / 10_000,
      of.completeness,
      marked,
    ]
    const [area] = view.content.areas
    const [canal] = area?.canals ?? []
    if (!area || !canal) throw new Error('the report has no canal')
    expect(told).toEqual([...canal.rows.map((r) => figures(r, r.gate === 'yc-zh-03' ? '变' : '')), figures(canal, ''), figures(area, '')])
    expect(Object.keys(files)).toEqual(expect.arrayContaining(['xl/workbook.xml', '[Content_Types].xml', '_rels/.rels']))
  })

  test('who sees one area gets a report of that one', async () => {
    const view = await get<ReportIssueView>(`/reports/month?at=${D1}`, wang)
    expect(view.content.areas.map((a) => a.id)).toEqual(['yichang'])
    expectProblem(await app.inject({ url: `/api/v1/reports/day?at=${D1}&area=wulanbuhe`, headers: { cookie: wang } }), 403, 'NOT_ALLOWED')
  })
})
