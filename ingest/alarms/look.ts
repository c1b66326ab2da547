import { ALARM_KINDS, type AlarmRule } from '#contract/alarm.ts'
import type { BadReason } from '#contract/reading.ts'
import type { Sample } from '#history/port.ts'
import { type Condition, isActiveAt, violates } from './evaluate.ts'

/** What a sample says to a rule. */
export type Look = { readonly t: number; readonly violated: boolean; readonly value: number | null }

/** What a rule must remember of earlier samples: the rate's starting point, or the value that has not changed. */
export type Reference = { readonly t: number; readonly value: number }
export type Looked = { readonly look?: Look; readonly reference?: Reference }

/** A value that came, but that nobody should believe; one that did not come is the link's affair. */
const UNBELIEVABLE: ReadonlySet<BadReason> = new Set(['out_of_range', 'sensor_fault', 'not_a_number'])
/** A rate is taken over at least this time: a step of the resolution within a second is no flood. */
const RATE_OVER_MS = 5 * 60_000
const HOUR_MS = 3_600_000

/** The metrics that a rule follows: none, one, or for `head` both levels. */
export function metricsOf(rule: Pick<AlarmRule, 'kind'>): readonly string[] {
  const { metric } = ALARM_KINDS[rule.kind]
  if (metric === null) return []
  return metric === 'head' ? ['level_up', 'level_down'] : [metric]
}

/** What `sample` means to `rule`. Only good values are held against limits: no value is neither high nor low. */
export function lookAt(
  rule: AlarmRule,
  sample: Pick<Sample, 't' | 'received' | 'reading'>,
  known: { readonly condition: Condition; readonly reference: Reference | undefined },
): Looked {
  // A clock that is ahead must not put an alarm's end out of reach.
  const t = Math.min(sample.t, sample.received)
  const { reading } = sample
  const { form } = ALARM_KINDS[rule.kind]
  if (form === 'bad') {
    if (reading.quality === 'bad') return UNBELIEVABLE.has(reading.reason) ? { look: { t, violated: true, value: null } } : {}
    return { look: { t, violated: false, value: reading.value } }
  }
  if (reading.quality !== 'good') return {}
  const { value } = reading
  const { reference, condition } = known
  if (form === 'above' || form === 'below') {
    return { look: { t, violated: violates(rule, value, isActiveAt(rule, condition, t)), value } }
  }
  if (reference === undefined) return { reference: { t, value } }
  if (form === 'frozen') {
    if (value === reference.value) return { look: { t, violated: true, value } }
    return { look: { t, violated: false, value }, reference: { t, value } }
  }
  if (form !== 'rate' || t - reference.t < RATE_OVER_MS) return {}
  const rate = (Math.abs(value - reference.value) / (t - reference.t)) * HOUR_MS
  return { look: { t, violated: violates(rule, rate, isActiveAt(rule, condition, t)), value: rate }, reference: { t, value } }
}
