import type { Structure } from '#contract/district.ts'
import { flowMethodAt } from '#contract/flow-method.ts'
import type { CalibrationReply, FlowExplained } from '#contract/http/analysis.ts'
import { openingOfLeaf } from '#contract/metrics.ts'
import { drawable } from '#contract/reading.ts'
import { cubicMetresPerSecond, type Metres, metres, type UnixMs, unixMs } from '#contract/units.ts'
import type { History, Sample } from '#history/port.ts'
import { calibrate, type Gauging } from '#hydraulics/calibrate.ts'
import { flowInputs } from '#hydraulics/derive-flow.ts'
import { hydraulicsOf } from '#hydraulics/of-structure.ts'
import { type Observation, structureFlow } from '#hydraulics/structure-flow.ts'
import type { Registry } from '#registry/port.ts'

type Deps = { readonly history: Pick<History, 'samples'>; readonly registry: Pick<Registry, 'flowMethods' | 'manualReadings'> }

/** So far from the moment may a reading be that stands for it. */
const NEAR_MS = 600_000

/** The sample of each metric that is nearest to a moment, reliable ones alone. */
export async function nearest(
  history: Pick<History, 'samples'>,
  asked: { gate: string; metrics: readonly string[]; at: number },
): Promise<Map<string, Sample>> {
  const { gate, metrics, at } = asked
  const found = new Map<string, Sample>()
  const span = { from: unixMs(Math.max(0, at - NEAR_MS)), to: unixMs(at + NEAR_MS + 1) }
  for await (const sample of history.samples({ gate, metrics, ...span })) {
    if (sample.reading.quality !== 'good' || sample.verdict?.level === 'unreliable') continue
    const best = found.get(sample.metric)
    if (!best || Math.abs(sample.t - at) < Math.abs(best.t - at)) found.set(sample.metric, sample)
  }
  return found
}

function observationOf(structure: Structure, seen: ReadonlyMap<string, Sample>, at: UnixMs): Observation {
  const value = (metric: string): Metres | null => {
    const sample = seen.get(metric)
    const drawn = sample ? drawable(sample.reading) : null
    return drawn === null ? null : metres(drawn)
  }
  return {
    at,
    up: value('level_up'),
    ...(seen.has('level_down') && { down: value('level_down') }),
    openings: Array.from({ length: structure.leaves }, (_, i) => value(openingOfLeaf(i + 1))),
  }
}

/** The flow that levels and openings near a moment make, with all that went into it. */
export async function explainFlow(deps: Deps, structure: Structure, at: UnixMs): Promise<FlowExplained> {
  const metrics = flowInputs(structure)
  const seen = await nearest(deps.history, { gate: structure.id, metrics: [...metrics, 'flow'], at })
  const method = flowMethodAt(await deps.registry.flowMethods.of(structure.id), structure.id, at)
  const result = structureFlow(hydraulicsOf(structure, method), observationOf(structure, seen, at))
  const inputs = metrics.flatMap((m) => {
    const sample = seen.get(m)
    return sample ? [[m, { t: sample.t, value: drawable(sample.reading) }] as const] : []
  })
  const measured = seen.get('flow')
  const good = result.quality === 'good'
  return {
    gate: structure.id,
    at,
    inputs: Object.fromEntries(inputs),
    method: withoutMaker(method),
    flow_m3s: good ? result.flow : null,
    plus_minus_m3s: good ? result.uncertainty : null,
    regime: good ? result.regime : null,
    flags: good ? [...result.flags] : [],
    reason: good ? null : result.detail,
    measured_m3s: measured ? drawable(measured.reading) : null,
  }
}

/** A row of the registry says by whom too, which the method's own schema does not. */
export function withoutMaker<T extends object>(method: T): Omit<T, 'by' | 'at'> {
  const { by: _by, at: _at, ...bare } = method as T & { by?: unknown; at?: unknown }
  return bare as Omit<T, 'by' | 'at'>
}

/** Fits a structure's factor to the current-meter gaugings of a span, beside the levels and openings that history has of those moments. */
export async function calibrateStructure(deps: Deps, structure: Structure, span: { from: UnixMs; to: UnixMs }): Promise<CalibrationReply> {
  const rows = await deps.registry.manualReadings.list({ gates: [structure.id], kind: 'flow', ...span })
  const methods = await deps.registry.flowMethods.of(structure.id)
  const { factor: _factor, uncertainty: _uncertainty, ...method } = flowMethodAt(methods, structure.id, span.to - 1)
  const hydraulics = hydraulicsOf(structure, { ...method, factor: 1, uncertainty: null })
  const gaugings: Gauging[] = []
  for (const { t, value, uncertainty } of rows) {
    const seen = await nearest(deps.history, { gate: structure.id, metrics: flowInputs(structure), at: t })
    const observed = observationOf(structure, seen, unixMs(t))
    gaugings.push({ observed, measured: cubicMetresPerSecond(value), ...(uncertainty !== undefined && { uncertainty }) })
  }
  const { fit, excluded } = calibrate(hydraulics, gaugings)
  const why = new Map(excluded.map((e) => [e.index, e.reason]))
  const fitted = fit.kind === 'fitted' ? fit : null
  return {
    gate: structure.id,
    gaugings: gaugings.map(({ observed, measured }, i) => {
      const result = structureFlow(hydraulics, observed)
      const computed = result.quality === 'good' ? result.flow : null
      const used = fitted && computed !== null && !why.has(i) ? fitted.calibration.factor * computed : null
      return {
        t: observed.at,
        measured_m3s: measured,
        computed_m3s: computed,
        fitted_m3s: used,
        residual_share: used === null || used === 0 ? null : (measured - used) / used,
        excluded: why.get(i) ?? null,
      }
    }),
    fit: fitted && {
      factor: fitted.calibration.factor,
      uncertainty: fitted.calibration.uncertainty,
      n: fitted.n,
      standard_error: fitted.standardError,
      relative_scatter: fitted.relativeScatter,
    },
    refused: fit.kind === 'refused' ? fit.reason : null,
  }
}
