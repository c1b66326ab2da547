/** A process of its own that looks at a rising and falling water, to be killed: `alarm-worker.ts REGISTRY_URL FIRST_STEP`. */
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import type { Structure } from '#contract/district.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { openRegistry } from '#registry/open.ts'
import { AlarmKeeper } from '../alarms/keeper.ts'
import { GATES, levelAt, STEP_MS, STEPS, T0 } from './flood-wave.ts'
import { CHECK as structure } from './structure.ts'

const [url = '', first = '0'] = process.argv.slice(2)
const log = pino({ level: 'silent' })
const registry = await openRegistry(url, { log, migrationsFolder: 'registry/migrations' })
const gates: Structure[] = GATES.map((id) => ({ ...structure, id }))
const site = { id: structure.site, name: structure.name, area: structure.area, station: '', report_interval_ms: 60_000 }
let now = T0
const alarms = new AlarmKeeper({
  registry: registry.alarms,
  directory: { gates: () => gates, gatesOf: (id: string) => gates.filter((g) => g.site === id), sites: () => [site] },
  surroundings: async () => ({ commands: [], orders: [], canals: [] }),
  holds: () => true,
  isSure: () => true,
  log,
  now: () => now,
})
await alarms.load()
for (let step = Number(first); step < STEPS; step++) {
  now = T0 + step * STEP_MS
  for (const [i, gate] of gates.entries()) {
    const level = levelAt(i, step, gate.design_level_up_m - gate.datum_m)
    alarms.take(gate, [{ gate: gate.id, metric: 'level_up', t: unixMs(now), received: unixMs(now), reading: good(level) }])
  }
  // As a receipt: only what is durable is told, and only what is told is not sent again.
  await alarms.settled()
  process.stdout.write(`${step}\n`)
  await sleep(5)
}
await alarms.close()
await registry.close()
