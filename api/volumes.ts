import type { Static } from 'typebox'
import { Fault } from '#contract/fault.ts'
import type { VolumePeriod } from '#contract/http/volume.ts'
import { metricOf } from '#contract/metrics.ts'
import { type Period, type PeriodStep, periodsIn } from '#contract/periods.ts'
import { milliseconds, type UnixMs, unixMs } from '#contract/units.ts'
import type { Aggregate, Correction, History } from '#history/port.ts'
import { combine } from '#hydraulics/uncertainty.ts'
import { cubicMetres, volumeIn } from '#hydraulics/volume-units.ts'
import type { VolumeSettings } from './settings.ts'

type Asked = { readonly from: number; readonly to: number; readonly step: PeriodStep; readonly metric: string }
type Settings = Static<typeof VolumeSettings>
export type Aggregates = { readonly periods: readonly Period[]; readonly byGate: ReadonlyMap<string, readonly Aggregate[]> }

const MINUTE_MS = 60_000
const MOST_DAYS = 20 * 366
/** Figures in one answer: a year by the day of a thousand gates. */
const MOST_FIGURES = 400_000

/** @throws Fault BAD_REQUEST for a span or step that can not be answered, HISTORY_UNREACHABLE */
export async function aggregatesOf(
  history: Pick<History, 'aggregate'>,
  asked: Asked,
  how: { settings: Settings; gates: readonly string[]; corrections: readonly Correction[] },
): Promise<Aggregates> {
  const { gates, settings, corrections } = how
  const periods = cutPeriods(asked, settings)
  if (periods.length * gates.length > MOST_FIGURES)
    throw badRequest(
      `${periods.length} periods of ${gates.length} gates are too many`,
      'ask for fewer gates, a shorter span or a longer step',
    )
  const edges: UnixMs[] = [...periods.map((p) => p.from), unixMs(asked.to)]
  const longestBridged = milliseconds(settings.longest_bridged_min * MINUTE_MS)
  const byGate = await history.aggregate({ gates, metric: asked.metric, edges, longestBridged, corrections })
  return { periods, byGate }
}

function cutPeriods({ from, to, step }: Asked, { calendar }: Settings): Period[] {
  if (from >= to) throw badRequest('from is not before to', 'swap them')
  if (from < 0 || to > 8.64e15) throw badRequest('from or to is no date', 'give both in ms since 1970 UTC')
  if (to - from > MOST_DAYS * 86_400_000) throw badRequest(`the span is longer than ${MOST_DAYS} days`, 'ask for a shorter one')
  return periodsIn(step, { from, to }, calendar).map((p) => ({
    key: p.key,
    from: unixMs(Math.max(p.from, from)),
    to: unixMs(Math.min(p.to, to)),
  }))
}

/** @throws Fault BAD_REQUEST unless the catalogue has the metric in m³/s. */
export function requireFlow(metric: string): void {
  if (metricOf(metric)?.unit !== 'm³/s')
    throw badRequest(`${JSON.stringify(metric.slice(0, 40))} is no flow in m³/s`, 'name the metric flow')
}

/** Half-width of a volume in m³: the flow's own, which is the same all the time and so grows with the volume, and that of what is estimated. */
export const plusMinusOf = ({ integral, bridgingError }: Aggregate, { flow_uncertainty }: Settings): number | null =>
  integral === null ? null : combine(Math.abs(integral) * flow_uncertainty, bridgingError)

export function volumePeriodOf(
  period: Period,
  aggregate: Aggregate,
  how: { settings: Settings; corrections: readonly Correction[] },
): VolumePeriod {
  const { integral, mean, completeness, estimatedShare, badShare, count, doubtful, unreliable } = aggregate
  const volume = integral === null ? null : cubicMetres(integral)
  return {
    key: period.key,
    from: period.from,
    to: period.to,
    volume_m3: volume,
    volume_wan_m3: volume === null ? null : volumeIn('wan_m3', volume),
    volume_yi_m3: volume === null ? null : volumeIn('yi_m3', volume),
    flow_days: volume === null ? null : volumeIn('flow_day', volume),
    plus_minus_m3: plusMinusOf(aggregate, how.settings),
    mean_flow_m3s: mean,
    completeness,
    estimated_share: estimatedShare,
    bad_share: badShare,
    samples: count,
    doubtful,
    unreliable,
    corrected: how.corrections.some((c) => c.from < period.to && c.to > period.from),
  }
}

const badRequest = (message: string, next: string): Fault => new Fault('BAD_REQUEST', message, next)
