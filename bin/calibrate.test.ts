import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { DISTRICT } from '#api/testing/district.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { openHistory } from '#history/open.ts'
import { openRegistry } from '#registry/open.ts'
import { copyRegistry } from '#test/support/registry-template.ts'
import { tempFolder } from '#test/support/servers.ts'
import { runCalibrate } from './calibrate.ts'
import { folders } from './folders.ts'

const log = pino({ level: 'silent' })
const folder = tempFolder('calibrate')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const settings = {
  registry: { url: await copyRegistry(join(folder, 'registry')) },
  history: { url: `duckdb:${join(folder, 'history.duckdb')}` },
}
const GATE = 'yc-zh-03'

test('three gaugings are shown with their residuals, and the factor is put in force from a date when that is asked', async () => {
  const times = [9, 10, 11].map((hour) => Date.UTC(2026, 6, 1, hour - 8))
  const registry = await openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })
  await registry.district.seed(DISTRICT)
  // Two leaves of 3 m, 0.5 m open under 2.0 m with 1.5 m below: 2 · ¾ · 4.798358 m³/s.
  const gauged = times.map((t, i) => ({
    gate: GATE,
    kind: 'flow' as const,
    t,
    value: 7.197537 * (0.94 + 0.01 * i),
    observer: '张三',
    note: '',
  }))
  await registry.manualReadings.enter(gauged, { by: 'li', at: unixMs(1) })
  await registry.close()
  const history = await openHistory(settings.history.url, { log })
  const values = { level_up: 2, level_down: 1.5, opening: 0.5, opening_2: 0.5 }
  const samples = times.flatMap((t) =>
    Object.entries(values).map(([metric, v]) => ({ gate: GATE, metric, t: unixMs(t), received: unixMs(t), reading: good(v) })),
  )
  expect(await history.write(samples, { rewrite: false })).toEqual({ kind: 'kept' })
  await history.close()

  const text = await runCalibrate(settings, { gate: GATE, from: '2026-07-01', to: '2026-07-02', setFrom: '2026-07-03' }, log)
  expect(text).toContain('factor 0.9500 ± 2.6 % (95 %) from 3 gaugings, scatter 1.1 %')
  expect(text).toMatch(/2026-07-01T01:00:00\.000Z +6\.766 +7\.198 +6\.838 +-1\.1 %/)
  const after = await openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })
  expect(await after.flowMethods.of(GATE)).toMatchObject([
    { factor: expect.closeTo(0.95, 4), from: Date.UTC(2026, 6, 3), by: 'sluice calibrate' },
  ])
  await after.close()
  await expect(runCalibrate(settings, { gate: GATE, from: 'July', to: '2026-07-02' }, log)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
})
