import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ledgerOf } from '#api/analysis/ledger.ts'
import { DISTRICT } from '#api/testing/district.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { openHistory } from '#history/open.ts'
import type { History } from '#history/port.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { copyRegistry } from '#test/support/registry-template.ts'
import { tempFolder } from '#test/support/servers.ts'
import { folders } from './folders.ts'
import { importFile } from './import.ts'

const log = pino({ level: 'silent' })
const folder = tempFolder('import')
let stores: { registry: Registry; history: History }
beforeAll(async () => {
  stores = {
    registry: await openRegistry(await copyRegistry(join(folder, 'registry')), { log, migrationsFolder: folders.migrations }),
    history: await openHistory(`duckdb:${join(folder, 'history.duckdb')}`, { log }),
  }
})
afterAll(async () => {
  await stores.history.close()
  await stores.registry.close()
  rmSync(folder, { recursive: true, force: true })
})
const path = (name: string): string => join(folder, name)
const GATE = 'yc-zh-03'
// 2024-07-01 08:00 in Asia/Shanghai.
const D0 = Date.UTC(2024, 6, 1)
const TWO_HOURS = { from: unixMs(D0), to: unixMs(D0 + 7_200_000) }

const MAPPING = `
encoding: gb18030
time: { column: 时间 }
gate: { column: 闸门, names: { 三号闸: ${GATE} } }
values:
  闸上水位: { metric: level_up, offset: -1030 }
  流量: { metric: flow, factor: 1.1 }
`
// As a Chinese Excel writes them: 时间,闸门,闸上水位,流量 and 三号闸.
const HEADER = Buffer.from('cab1bce42cd5a2c3c52cd5a2c9cfcbaecebb2cc1f7c1bf0d0a', 'hex')
const GATE_NAME = Buffer.from('c8fdbac5d5a2', 'hex')
const row = (time: string, level: string, flow: string, gate: Buffer = GATE_NAME): Buffer =>
  Buffer.concat([Buffer.from(`${time},`), gate, Buffer.from(`,${level},${flow}\r\n`)])
const two = (n: number): string => String(n).padStart(2, '0')
const clock = (minute: number): string => `2024-07-01 ${two(8 + Math.floor(minute / 60))}:${two(minute % 60)}`

test('a file of one’s own is taken once, by its mapping; what is refused is told by line, and figures and ledger know it', async () => {
  writeFileSync(path('mapping.yaml'), MAPPING)
  const rows = Array.from({ length: 121 }, (_, m) => row(clock(m), m === 60 ? '' : '1031.5', m === 30 ? '5' : '10'))
  rows.push(row('yesterday', '1031.5', '10'), row(clock(125), 'dry', '10'), row(clock(126), '1090', '10'))
  rows.push(row(clock(127), '1031.5', '10', Buffer.from('nowhere')), row(clock(0), '1031.6', '10'))
  writeFileSync(path('own.csv'), Buffer.concat([HEADER, ...rows]))
  const { registry, history } = stores
  await registry.district.seed(DISTRICT)
  // Measured here, and not to be overwritten: the file has another flow for this minute.
  const t = unixMs(D0 + 30 * 60_000)
  await history.write([{ gate: GATE, metric: 'flow', t, received: unixMs(t + 900), reading: good(11) }], { rewrite: false })
  const options = { file: path('own.csv'), mapping: path('mapping.yaml'), refused: path('refused.csv') }
  const first = await importFile(stores, options)
  // 120 levels and 120 flows, and the flows of lines 124 and 125; the last line's flow stands in the first.
  expect(first).toContain('126 rows: 242 values taken, 1 there already, 1 blank, 7 refused\n')
  expect(first).toContain('  line 124, 闸上水位: "dry" is no number\n')
  const refused = [
    'line,column,reason',
    '123,时间,"""yesterday"" is no time like 2026-07-01 08:00"',
    '124,闸上水位,"""dry"" is no number"',
    '125,闸上水位,"60 is out of the range of level_up, -5 to 40"',
    '126,闸上水位,"gate ""nowhere"" is not registered"',
    '126,流量,"gate ""nowhere"" is not registered"',
    `32,flow,"5.5 for flow of ${GATE}: 11 is there for that time, and stays"`,
    `127,level_up,"1.6 for level_up of ${GATE}: 1.5 is there for that time, and stays"`,
  ]
  expect(readFileSync(path('refused.csv'), 'utf8')).toBe(`${refused.join('\n')}\n`)

  const look = async () => {
    const samples = []
    const day = { from: TWO_HOURS.from, to: unixMs(D0 + 86_400_000) }
    for await (const s of history.samples({ gate: GATE, metrics: ['flow', 'level_up'], ...day })) samples.push(s)
    const volume = (await history.aggregate({ gates: [GATE], metric: 'flow', edges: [TWO_HOURS.from, TWO_HOURS.to] })).get(GATE)?.[0]
    const site = DISTRICT.sites.find((s) => s.id === 'yc-s012')
    if (!site) throw new Error('the district has no such site')
    const structures = DISTRICT.structures.filter((s) => s.id === GATE)
    const ledger = await ledgerOf({ history, registry }, site, { ...TWO_HOURS, structures })
    return { samples, volume, ledger, imports: await registry.imports.of([GATE], day) }
  }
  const once = await look()
  expect(once.samples).toHaveLength(243)
  expect(once.volume?.integral).toBeCloseTo(11 * 7200, 6)
  expect(once.volume?.completeness).toBe(1)
  expect(once.ledger.map((e) => [e.kind, e.note])).toEqual([['imported', 'own.csv (sluice import)']])
  expect(once.imports).toMatchObject([{ samples: 242, from: D0, to: D0 + 126 * 60_000 }])

  expect(await importFile(stores, options)).toContain('126 rows: 0 values taken, 243 there already, 1 blank, 7 refused\n')
  expect(await look()).toEqual(once)
})

test('a mapping that does not fit the file, or names no metric, is told before anything is taken', async () => {
  writeFileSync(path('plain.csv'), 'time,flow\n2024-07-01 08:00,1\n')
  const run = (yaml: string) => {
    writeFileSync(path('other.yaml'), yaml)
    return importFile(stores, { file: path('plain.csv'), mapping: path('other.yaml') })
  }
  const missing = { code: 'CONFIG_INVALID', message: 'the file has no column stage; it has time, flow' }
  await expect(run(`time: { column: time }\ngate: ${GATE}\nvalues: { stage: { metric: level_up } }`)).rejects.toMatchObject(missing)
  const unknown = { code: 'CONFIG_INVALID', message: expect.stringContaining('speed is no metric') }
  await expect(run(`time: { column: time }\ngate: ${GATE}\nvalues: { flow: { metric: speed } }`)).rejects.toMatchObject(unknown)
  const whose = { message: expect.stringContaining('nothing says of which gate it is') }
  await expect(run('time: { column: time }\nvalues: { flow: { metric: flow } }')).rejects.toMatchObject(whose)
})
