import { createHash } from 'node:crypto'
import type { Static } from 'typebox'
import type { Area, Canal, Structure } from '#contract/district.ts'
import type { ReportContent, ReportKind, ReportRow } from '#contract/http/report.ts'
import { DERIVED_FLOW } from '#contract/metrics.ts'
import { type Period, periodAt } from '#contract/periods.ts'
import { milliseconds, unixMs } from '#contract/units.ts'
import type { Aggregate, History } from '#history/port.ts'
import { combine } from '#hydraulics/uncertainty.ts'
import type { RouteContext } from '../routes/context.ts'
import type { VolumeSettings } from '../settings.ts'
import { plusMinusOf } from '../volumes.ts'

type Place = { readonly areas: readonly Area[]; readonly canals: readonly Canal[]; readonly structures: readonly Structure[] }
type Deps = { readonly history: Pick<History, 'aggregate'>; readonly correctionsOf: RouteContext['correctionsOf'] }
type Asked = { readonly kind: ReportKind; readonly at: number; readonly area: string | null; readonly now: number }

/** Volumes of one period by area, canal and gate. `place` holds what the person may see. */
export async function reportOf(deps: Deps, place: Place, asked: Asked, settings: Static<typeof VolumeSettings>): Promise<ReportContent> {
  const { kind, at, area, now } = asked
  const whole = periodAt(kind, at, settings.calendar)
  // Of a period that is not over, what has passed.
  const period: Period = { ...whole, to: unixMs(Math.max(whole.from + 1, Math.min(whole.to, now))) }
  const rows = await rowsOf(deps, place.structures, period, settings)
  const areas = place.areas.map((a) => {
    const canals = place.canals.filter((c) => c.area === a.id).map((c) => canalOf(c, place, rows))
    const heads = canals.filter((c) => c.head && c.rows.some((r) => r.counted))
    return {
      id: a.id,
      name: a.name,
      ...totalOf(heads),
      canals: canals.filter((c) => c.rows.length > 0),
    }
  })
  return { kind, period: period.key, from: period.from, to: period.to, area, areas: areas.filter((a) => a.canals.length > 0) }
}

type CanalRows = ReportContent['areas'][number]['canals'][number]

function canalOf(canal: Canal, place: Place, rows: ReadonlyMap<string, ReportRow>): CanalRows {
  const mine = rowsOn(canal, place, rows)
  const head = !ancestorsOf(canal, place.canals).some((c) => c.area === canal.area && rowsOn(c, place, rows).some((r) => r.counted))
  return { id: canal.id, name: canal.name, head, ...totalOf(mine.filter((r) => r.counted)), rows: mine }
}

const rowsOn = (canal: Canal, { structures }: Place, rows: ReadonlyMap<string, ReportRow>): ReportRow[] =>
  structures.filter((s) => s.canal === canal.id).flatMap((s) => rows.get(s.id) ?? [])

/** The canals that feed it, one after the other. What they carry has been counted where it came in, if it was counted at all. */
function ancestorsOf(canal: Canal, canals: readonly Canal[]): Canal[] {
  const found: Canal[] = []
  for (let at = canals.find((c) => c.id === canal.parent); at && !found.includes(at); ) {
    found.push(at)
    const { parent } = at
    at = canals.find((c) => c.id === parent)
  }
  return found
}

/** Volumes add; of independent errors the squares add. A part of which nothing is known makes the total incomplete, not unknown. */
function totalOf(parts: readonly Pick<ReportRow, 'volume_m3' | 'plus_minus_m3' | 'completeness'>[]) {
  const known = parts.filter((p) => p.volume_m3 !== null)
  return {
    volume_m3: known.length === 0 ? null : known.reduce((sum, p) => sum + (p.volume_m3 ?? 0), 0),
    plus_minus_m3: known.length === 0 ? null : combine(...known.map((p) => p.plus_minus_m3 ?? 0)),
    completeness: parts.length === 0 ? 0 : Math.min(...parts.map((p) => p.completeness)),
  }
}

async function rowsOf(
  deps: Deps,
  structures: readonly Structure[],
  period: Period,
  settings: Static<typeof VolumeSettings>,
): Promise<Map<string, ReportRow>> {
  const gates = structures.map((s) => s.id)
  const edges = [period.from, period.to]
  const longestBridged = milliseconds(settings.longest_bridged_min * 60_000)
  const of = async (metric: string, which: readonly string[]) => {
    const corrections = await deps.correctionsOf(which, { metric, ...period })
    return { corrections, byGate: await deps.history.aggregate({ gates: which, metric, edges, longestBridged, corrections }) }
  }
  const measured = await of('flow', gates)
  const corrected = new Set(measured.corrections.map((c) => c.gate))
  const unmetered = gates.filter((g) => (measured.byGate.get(g)?.[0]?.count ?? 0) === 0 && !corrected.has(g))
  const derived = unmetered.length === 0 ? undefined : await of(DERIVED_FLOW, unmetered)
  const rows = new Map<string, ReportRow>()
  for (const structure of structures) {
    const isDerived = unmetered.includes(structure.id)
    const source = isDerived && derived ? derived : measured
    const aggregate = source.byGate.get(structure.id)?.[0]
    if (!aggregate) continue
    const isCorrected = source.corrections.some((c) => c.gate === structure.id)
    rows.set(structure.id, rowOf(structure, aggregate, { metric: isDerived ? DERIVED_FLOW : 'flow', corrected: isCorrected, settings }))
  }
  return rows
}

function rowOf(
  structure: Structure,
  aggregate: Aggregate,
  how: { metric: string; corrected: boolean; settings: Static<typeof VolumeSettings> },
): ReportRow {
  const { integral, mean, min, max, completeness, estimatedShare, badShare } = aggregate
  return {
    gate: structure.id,
    name: structure.name,
    counted: structure.type === 'head' || structure.type === 'offtake',
    metric: how.metric,
    mean_flow_m3s: mean,
    min_flow_m3s: min,
    max_flow_m3s: max,
    volume_m3: integral,
    plus_minus_m3: plusMinusOf(aggregate, how.settings),
    completeness,
    estimated_share: estimatedShare,
    bad_share: badShare,
    corrected: how.corrected,
  }
}

/** What a reader would call the same figures: whole m³, a thousandth of completeness. */
const figuresOf = (row: ReportRow): string =>
  JSON.stringify([
    row.gate,
    row.metric,
    row.volume_m3 === null ? null : Math.round(row.volume_m3),
    row.completeness.toFixed(3),
    row.corrected,
  ])

export const rowsIn = (content: ReportContent): ReportRow[] => content.areas.flatMap((a) => a.canals.flatMap((c) => c.rows))

export const digestOf = (content: ReportContent): string =>
  createHash('sha256')
    .update(JSON.stringify([content.from, content.to, rowsIn(content).map(figuresOf)]))
    .digest('hex')

/** Gates whose figures differ between two issues of a report. */
export function changedGates(before: ReportContent, after: ReportContent): string[] {
  const old = new Map(rowsIn(before).map((r) => [r.gate, figuresOf(r)]))
  return rowsIn(after)
    .filter((r) => old.get(r.gate) !== figuresOf(r))
    .map((r) => r.gate)
}
