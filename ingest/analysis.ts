import type { Structure } from '#contract/district.ts'
import type { FlowMethod } from '#contract/flow-method.ts'
import { DERIVED_FLOW } from '#contract/metrics.ts'
import { monthOf } from '#contract/periods.ts'
import { verdictCode } from '#contract/verdict.ts'
import type { VerdictRule } from '#contract/verdict-rule.ts'
import type { Sample } from '#history/port.ts'
import { type Derived, deriveFlow, flowInputs } from '#hydraulics/derive-flow.ts'
import { Recent, Series } from './recent.ts'
import { defaultRule } from './validate/default-rules.ts'
import { type Beside, judge } from './validate/judge.ts'

/** What analysts have set, as the directory last read it. */
export type Settled = {
  methods(gate: string): readonly FlowMethod[]
  rule(gate: string, metric: string): VerdictRule | undefined
  /** Whether any gate's rule holds its values against this metric of a neighbour. */
  isNeighbour(metric: string): boolean
  gate(id: string): Structure | undefined
}

/** Samples as they are to be stored: those that came with their verdicts, and what follows from them. */
export type Analysed = {
  readonly samples: readonly Sample[]
  /** Derived flows, and earlier samples judged anew: these points may be in history already. */
  readonly follows: readonly Sample[]
}

type DerivedAt = (t: number) => Derived | undefined

/** One message of one gate while it is looked at: what is the same for all its samples is looked up once. */
type Look = {
  readonly gate: Structure
  /** For how long a reading of this gate holds. */
  readonly coherentMs: number
  readonly series: Map<string, Series>
  readonly rules: Map<string, VerdictRule | undefined>
}

const NEIGHBOUR_WITHIN_MS = 600_000

/**
 * Judges samples and derives flows beside what came lately. Late ones too: they are judged beside their own neighbours in time. The same samples
 * again give the same again.
 */
export class Analysis {
  readonly #settled: Settled
  readonly #recent = new Recent()

  constructor(settled: Settled) {
    this.#settled = settled
  }

  /** @param coherentMs for how long a reading of this gate holds. */
  take(gate: Structure, samples: readonly Sample[], coherentMs: number): Analysed {
    const look: Look = { gate, coherentMs, series: this.#recent.gate(gate.id), rules: new Map() }
    const anew = new Map<string, Sample>()
    const changed = new Set<number>()
    const inputs = flowInputs(gate)
    const ordered = samples.toSorted((a, b) => a.t - b.t)
    const own = new Set<Sample>()
    for (const sample of ordered) {
      // Half of what a site tells (battery, signal, mode) nothing is ever judged or derived beside.
      if (!this.#ruleOf(look, sample.metric) && !inputs.includes(sample.metric) && !this.#settled.isNeighbour(sample.metric)) continue
      seriesOf(look, sample.metric).put(sample)
      own.add(sample)
    }
    const judged = new Map<Sample, Sample>()
    for (const sample of ordered) {
      const rule = this.#ruleOf(look, sample.metric)
      if (inputs.includes(sample.metric)) changed.add(sample.t)
      if (!rule || sample.metric === 'flow') continue
      const previous = seriesOf(look, sample.metric).before(sample.t, coherentMs)
      if (previous && !own.has(previous)) {
        const rejudged = this.#judge(look, previous, rule)
        if (verdictCode(rejudged.verdict) !== verdictCode(previous.verdict)) {
          // A verdict that is taken back must be written as such, or InfluxDB keeps the old one.
          anew.set(`${rejudged.metric} ${rejudged.t}`, { ...rejudged, rewrites: true })
          changed.add(rejudged.t)
        }
      }
      const now = this.#judge(look, sample, rule)
      if (now !== sample) judged.set(sample, now)
    }
    // From here on nothing that a flow is derived from changes.
    const derivedAt = this.#derivedOnce(look)
    const flows = this.#derive(look, { changed, inputs, derivedAt })
    for (const sample of ordered) {
      if (sample.metric !== 'flow') continue
      const rule = this.#ruleOf(look, sample.metric)
      if (rule) judged.set(sample, this.#judge(look, sample, rule, derivedAt))
    }
    for (const series of look.series.values()) series.trim()
    return { samples: judged.size === 0 ? samples : samples.map((s) => judged.get(s) ?? s), follows: [...anew.values(), ...flows] }
  }

  /** Derives at the times of one message alone and keeps nothing: for what is shown now and comes again to be stored. */
  static glance(settled: Settled, gate: Structure, samples: readonly Sample[]): readonly Sample[] {
    return new Analysis(settled).take(gate, samples, 0).follows
  }

  #ruleOf({ gate, rules }: Look, metric: string): VerdictRule | undefined {
    if (rules.has(metric)) return rules.get(metric)
    const rule = this.#settled.rule(gate.id, metric) ?? defaultRule(gate, metric)
    rules.set(metric, rule)
    return rule
  }

  #judge(look: Look, sample: Sample, rule: VerdictRule, derivedAt?: DerivedAt): Sample {
    const { reading } = sample
    const verdict = reading.quality === 'good' ? judge(pointOf(sample), rule, this.#beside(look, sample, { rule, derivedAt })) : undefined
    if (verdictCode(verdict) === verdictCode(sample.verdict)) return sample
    const { verdict: _before, ...bare } = sample
    const judged: Sample = verdict ? { ...bare, verdict } : bare
    seriesOf(look, sample.metric).put(judged)
    return judged
  }

  /** What the rule asks for, and no more: this is done for every value of the district. */
  #beside(look: Look, sample: Sample, { rule, derivedAt }: { rule: VerdictRule; derivedAt: DerivedAt | undefined }): Beside {
    const { metric, t } = sample
    const { spike, rise_per_min, fall_per_min, frozen_min, neighbour, derived_share } = rule
    const series = seriesOf(look, metric)
    const within = Math.max(look.coherentMs, 1)
    const asksBefore = spike !== undefined || rise_per_min !== undefined || fall_per_min !== undefined
    const before = asksBefore ? series.believedBefore(t, within) : undefined
    const after = spike === undefined ? undefined : series.after(t, within)
    const derived = derived_share === undefined ? undefined : derivedAt?.(t)?.result
    return {
      before: before && pointOf(before),
      after: after?.reading.quality === 'good' ? pointOf(after) : undefined,
      sameSince: frozen_min === undefined ? undefined : series.sameSince(t, pointOf(sample).value),
      derived: derived?.quality === 'good' ? { value: derived.flow, plusMinus: derived.uncertainty } : undefined,
      neighbour: neighbour && this.#neighbourOf(look.gate, neighbour, t),
      month: rule.soft_by_month ? monthOf(t) : undefined,
    }
  }

  #neighbourOf(gate: Structure, { gate: id, metric }: NonNullable<VerdictRule['neighbour']>, t: number): number | undefined {
    const other = this.#settled.gate(id)
    const sample = this.#recent.series(id, metric)?.at(t, NEIGHBOUR_WITHIN_MS)
    if (!other || sample?.reading.quality !== 'good') return undefined
    return metric.startsWith('level_') ? sample.reading.value + other.datum_m - gate.datum_m : sample.reading.value
  }

  /** The flow at a time, derived once however often it is asked for. */
  #derivedOnce({ gate, coherentMs, series }: Look): DerivedAt {
    const known = new Map<number, Derived | undefined>()
    const methods = this.#settled.methods(gate.id)
    return (t) => {
      const derived = known.get(t)
      if (derived || known.has(t)) return derived
      const now = deriveFlow(gate, methods, t, (metric) => series.get(metric)?.at(t, coherentMs))
      known.set(t, now)
      return now
    }
  }

  #derive(
    look: Look,
    { changed, inputs, derivedAt }: { changed: ReadonlySet<number>; inputs: readonly string[]; derivedAt: DerivedAt },
  ): Sample[] {
    if (changed.size === 0) return []
    const { gate, coherentMs } = look
    const flows = seriesOf(look, DERIVED_FLOW)
    const times = new Set(changed)
    // A late input holds for what was derived after it.
    for (const t of changed) flows.addTimes(times, { after: t, upTo: t + coherentMs })
    const derived: Sample[] = []
    for (const t of [...times].sort((a, b) => a - b)) {
      const flow = derivedAt(t)
      if (!flow) continue
      let received = 0
      for (const metric of inputs) received = Math.max(received, look.series.get(metric)?.at(t, coherentMs)?.received ?? 0)
      const { reading, verdict } = flow
      const sample: Sample = {
        gate: gate.id,
        metric: DERIVED_FLOW,
        t: t as Sample['t'],
        received: received as Sample['received'],
        reading,
        rewrites: true,
        ...(verdict && { verdict }),
      }
      const known = flows.get(t)
      if (known && !changed.has(t) && isSame(known, sample)) continue
      flows.put(sample)
      derived.push(sample)
    }
    return derived
  }
}

function seriesOf({ series }: Look, metric: string): Series {
  let known = series.get(metric)
  if (!known) {
    known = new Series()
    series.set(metric, known)
  }
  return known
}

const pointOf = ({ t, reading }: Sample): { t: number; value: number } => ({
  t,
  value: reading.quality === 'bad' ? Number.NaN : reading.value,
})

const isSame = (a: Sample, b: Sample): boolean =>
  JSON.stringify([a.reading, a.verdict ?? null]) === JSON.stringify([b.reading, b.verdict ?? null])
