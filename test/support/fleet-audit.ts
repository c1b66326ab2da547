/** Compares what a fleet made with what history holds. */
import type { District } from '#contract/district.ts'
import { unixMs } from '#contract/units.ts'
import type { History } from '#history/port.ts'
import { fleetValue } from '#simulators/fleet/site.ts'
import type { FleetStats } from '#simulators/fleet.ts'
import { FLEET_DEFAULTS } from '#simulators/fleet.ts'

export type FleetAudit = {
  readonly made: number
  readonly found: number
  readonly missing: number
  readonly extra: number
  readonly wrong: number
}

/**
 * Of a fleet that reports every `everyMs` with a backlog of so many samples. The times of each series are those of the backlog and those after it, each a
 * row without a gap; what stands twice or beside the two rows is extra.
 */
export async function auditFleet(
  history: Pick<History, 'samples'>,
  fleet: {
    readonly district: District
    readonly metrics: readonly string[]
    readonly everyMs: number
    readonly backlog: number
    readonly stats: FleetStats
  },
): Promise<FleetAudit> {
  const { district, metrics, everyMs, backlog, stats } = fleet
  const counts = { made: stats.readings, found: 0, missing: 0, extra: 0, wrong: 0 }
  for (const { id: gate } of district.structures)
    for (const metric of metrics) {
      const times: number[] = []
      for await (const { t, reading } of history.samples({ gate, metrics: [metric], from: unixMs(0), to: unixMs(Date.now() + 60_000) })) {
        times.push(t)
        const value = reading.quality === 'good' ? Math.fround(reading.value) : Number.NaN
        if (value !== fleetValue(metric, FLEET_DEFAULTS.seed, gate, t)) counts.wrong++
      }
      const found = new Set(times)
      const oldest = times[0] ?? 0
      const begun = times.find((t) => t >= oldest + backlog * everyMs)
      const due = [
        ...row(oldest, oldest + (backlog - 1) * everyMs, everyMs),
        ...(begun === undefined ? [] : row(begun, times.at(-1) ?? begun, everyMs)),
      ]
      counts.found += times.length
      counts.missing += due.filter((t) => !found.has(t)).length
      const isDue = new Set(due)
      counts.extra += times.length - found.size + [...found].filter((t) => !isDue.has(t)).length
    }
  // Those at an end of a row stand in no gap.
  counts.missing = Math.max(counts.missing, counts.made - (counts.found - counts.extra))
  return counts
}

const row = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.max(0, Math.floor((to - from) / step) + 1) }, (_, i) => from + i * step)
