import type { Structure } from '#contract/district.ts'
import type { FlowMethod } from '#contract/flow-method.ts'
import { DERIVED_FLOW } from '#contract/metrics.ts'
import { HETAO_CALENDAR } from '#contract/periods.ts'
import { verdictCode } from '#contract/verdict.ts'
import type { VerdictRule } from '#contract/verdict-rule.ts'
import type { Sample } from '#history/port.ts'
import { type Derived, deriveFlow, flowInputs } from '#hydraulics/derive-flow.ts'
import { Recent } from './recent.ts'
import { defaultRule } from './validate/default-rules.ts'
import { type Beside, judge } from './validate/judge.ts'

/** What analysts have set, as the directory last read it. */
export type Settled = {
  methods(gate: string): readonly FlowMethod[]
  rule(gate: string, metric: string): VerdictRule | undefined
  gate(id: string): Structure | undefined
}

/** Samples as they are to be stored: those that came with their verdicts, and what follows from them. */
export type Analysed = {
  readonly samples: readonly Sample[]
  /** Derived flows, and earlier samples judged anew: these points may be in history already. */
  readonly follows: readonly Sample[]
}

type DerivedAt = (t: number) => Derived | undefined

const NEIGHBOUR_WITHIN_MS = 600_000
const LONGEST_SERIES = 100_000

/**
 * Judges samples and derives flows beside what came lately. Late ones too: they are judged beside their own neighbours in time. The same samples
 * again give the same again.
 */
export class Analysis {
  readonly #settled: Settled
  readonly #recent = new Recent()
  /** Since when a series has had its value, in the order of time. */
  readonly #same = new Map<string, { value: number; since: number; t: number }>()

  constructor(settled: Settled) {
    this.#settled = settled
  }

  /** @param coherentMs for how long a reading of this gate holds. */
  take(gate: Structure, samples: readonly Sample[], coherentMs: number): Analysed {
    const follows = new Map<string, Sample>()
    const changed = new Set<number>()
    const inputs = flowInputs(gate)
    const ordered = samples.toSorted((a, b) => a.t - b.t)
    const own = new Set(samples)
    for (const sample of ordered) this.#recent.put(sample)
    const judged = new Map<Sample, Sample>()
    for (const sample of ordered) {
      const rule = this.#ruleOf(gate, sample.metric)
      if (inputs.includes(sample.metric)) changed.add(sample.t)
      if (!rule || sample.metric === 'flow') continue
      const previous = this.#recent.before(gate.id, sample.metric, sample.t, { within: coherentMs, where: () => true })
      if (previous && !own.has(previous)) {
        const anew = this.#judge(gate, previous, { rule, coherentMs })
        if (verdictCode(anew.verdict) !== verdictCode(previous.verdict)) {
          follows.set(`${anew.metric} ${anew.t}`, anew)
          changed.add(anew.t)
        }
      }
      judged.set(sample, this.#judge(gate, sample, { rule, coherentMs }))
    }
    // From here on nothing that a flow is derived from changes.
    const derivedAt = this.#derivedOnce(gate, coherentMs)
    for (const derived of this.#derive(gate, { changed, inputs, coherentMs, derivedAt }))
      follows.set(`${DERIVED_FLOW} ${derived.t}`, derived)
    for (const sample of ordered) {
      const rule = this.#ruleOf(gate, sample.metric)
      if (rule && sample.metric === 'flow') judged.set(sample, this.#judge(gate, sample, { rule, coherentMs, derivedAt }))
    }
    return { samples: samples.map((s) => judged.get(s) ?? s), follows: [...follows.values()] }
  }

  /** Derives at the times of one message alone and keeps nothing: for what is shown now and comes again to be stored. */
  static glance(settled: Settled, gate: Structure, samples: readonly Sample[]): readonly Sample[] {
    return new Analysis(settled).take(gate, samples, 0).follows
  }

  #ruleOf(gate: Structure, metric: string): VerdictRule | undefined {
    return this.#settled.rule(gate.id, metric) ?? defaultRule(gate, metric)
  }

  #judge(gate: Structure, sample: Sample, options: { rule: VerdictRule; coherentMs: number; derivedAt?: DerivedAt }): Sample {
    const verdict =
      sample.reading.quality === 'good' ? judge(pointOf(sample), options.rule, this.#beside(gate, sample, options)) : undefined
    if (verdictCode(verdict) === verdictCode(sample.verdict)) return sample
    const { verdict: _before, ...bare } = sample
    const judged: Sample = verdict ? { ...bare, verdict } : bare
    this.#recent.put(judged)
    return judged
  }

  #beside(
    gate: Structure,
    sample: Sample,
    { rule, coherentMs, derivedAt }: { rule: VerdictRule; coherentMs: number; derivedAt?: DerivedAt },
  ): Beside {
    const { metric, t } = sample
    const within = Math.max(coherentMs, 1)
    const before = this.#recent.before(gate.id, metric, t, {
      within,
      where: (s) => s.reading.quality === 'good' && s.verdict?.level !== 'unreliable',
    })
    const after = this.#recent.after(gate.id, metric, t, within)
    const derived = derivedAt?.(t)?.result
    const neighbour = rule.neighbour && this.#neighbourOf(gate, rule.neighbour, t)
    return {
      ...(before && { before: pointOf(before) }),
      ...(after?.reading.quality === 'good' && { after: pointOf(after) }),
      ...(rule.frozen_min !== undefined && { sameSince: this.#sameSince(gate.id, sample) }),
      ...(derived?.quality === 'good' && { derived: { value: derived.flow, plusMinus: derived.uncertainty } }),
      ...(neighbour !== undefined && { neighbour }),
      month: new Date(t + HETAO_CALENDAR.utc_offset_min * 60_000).getUTCMonth() + 1,
    }
  }

  #sameSince(gate: string, sample: Sample): number {
    const key = `${gate} ${sample.metric}`
    const { t, value } = pointOf(sample)
    const known = this.#same.get(key)
    // Late samples say nothing of how long the present value has stood.
    if (known && t < known.t) return t
    const now = known && known.value === value ? { ...known, t } : { value, since: t, t }
    if (this.#same.size >= LONGEST_SERIES) this.#same.clear()
    this.#same.set(key, now)
    return now.since
  }

  #neighbourOf(gate: Structure, { gate: id, metric }: NonNullable<VerdictRule['neighbour']>, t: number): number | undefined {
    const other = this.#settled.gate(id)
    const sample = this.#recent.at(id, metric, t, NEIGHBOUR_WITHIN_MS)
    if (!other || sample?.reading.quality !== 'good') return undefined
    return metric.startsWith('level_') ? sample.reading.value + other.datum_m - gate.datum_m : sample.reading.value
  }

  /** The flow at a time, derived once however often it is asked for. */
  #derivedOnce(gate: Structure, coherentMs: number): DerivedAt {
    const known = new Map<number, Derived | undefined>()
    return (t) => {
      if (known.has(t)) return known.get(t)
      const derived = deriveFlow(gate, this.#settled.methods(gate.id), t, (metric) => this.#recent.at(gate.id, metric, t, coherentMs))
      known.set(t, derived)
      return derived
    }
  }

  #derive(
    gate: Structure,
    options: { changed: ReadonlySet<number>; inputs: readonly string[]; coherentMs: number; derivedAt: DerivedAt },
  ): Sample[] {
    const { changed, inputs, coherentMs, derivedAt } = options
    if (changed.size === 0) return []
    const times = new Set(changed)
    // A late input holds for what was derived after it.
    for (const t of changed)
      for (const later of this.#recent.times(gate.id, DERIVED_FLOW, { after: t, upTo: t + coherentMs })) times.add(later)
    const derived: Sample[] = []
    for (const t of [...times].toSorted((a, b) => a - b)) {
      const flow = derivedAt(t)
      if (!flow) continue
      const received = Math.max(...inputs.map((m) => this.#recent.at(gate.id, m, t, coherentMs)?.received ?? 0)) as Sample['received']
      const { reading, verdict } = flow
      const sample: Sample = {
        gate: gate.id,
        metric: DERIVED_FLOW,
        t: t as Sample['t'],
        received,
        reading,
        rewrites: true,
        ...(verdict && { verdict }),
      }
      const known = this.#recent.get(gate.id, DERIVED_FLOW, t)
      if (known && !changed.has(t) && isSame(known, sample)) continue
      this.#recent.put(sample)
      derived.push(sample)
    }
    return derived
  }
}

const pointOf = ({ t, reading }: Sample): { t: number; value: number } => ({
  t,
  value: reading.quality === 'bad' ? Number.NaN : reading.value,
})

const isSame = (a: Sample, b: Sample): boolean =>
  JSON.stringify([a.reading, a.verdict ?? null]) === JSON.stringify([b.reading, b.verdict ?? null])
