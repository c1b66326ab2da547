import { metricOf } from '#contract/metrics.ts'
import type { Reading } from '#contract/reading.ts'
import type { ReportSettings } from './settings.ts'

/** When a reading is news. Pure. */
export type Rule = {
  /** In the metric's unit; 0 reports every change. */
  readonly deadband: number
  /** % of the value last reported, instead of `deadband`. */
  readonly deadband_percent: number | undefined
  /** Each whole multiple of it is a time to report, changed or not, in ms; 0 reports every reading. */
  readonly silence_ms: number
  readonly median_reads: number
}

/** How much a data plan that runs short stretches the rules. */
export type Stretch = { readonly silence: number; readonly deadband: number }

export function ruleOf(metric: string, settings: ReportSettings, stretch: Stretch): Rule {
  const own = settings.metrics[metric]
  return {
    deadband: (own?.deadband ?? metricOf(metric)?.deadband ?? 0) * stretch.deadband,
    deadband_percent: own?.deadband_percent === undefined ? undefined : own.deadband_percent * stretch.deadband,
    silence_ms: (own?.silence_ms ?? settings.silence_ms) * stretch.silence,
    median_reads: own?.median_reads ?? 1,
  }
}

/** `ruleOf` of the stretch that holds now; asked for each reading, so each rule is made once for as long as its stretch lasts. */
export function rulesOf(settings: ReportSettings, stretchNow: () => Stretch): (metric: string) => Rule {
  let rules = new Map<string, Rule>()
  let made: Stretch | undefined
  return (metric) => {
    const stretch = stretchNow()
    if (stretch !== made) rules = new Map()
    made = stretch
    const known = rules.get(metric) ?? ruleOf(metric, settings, stretch)
    rules.set(metric, known)
    return known
  }
}

/** The longest silence of any metric, in ms: what the center must know to tell an old value from a quiet one. */
export const longestSilence = (settings: ReportSettings, stretch: Stretch): number =>
  Math.max(settings.silence_ms, ...Object.values(settings.metrics).map((m) => m.silence_ms ?? 0)) * stretch.silence

/** What was reported last, and for which time of the poll grid. */
export type Reported = { readonly gridTime: number; readonly reading: Reading }

/** @returns why the reading is to be reported, or null where it is not. */
export function newsIn(
  reading: Reading,
  gridTime: number,
  last: Reported | undefined,
  rule: Rule,
): 'quality' | 'change' | 'silence' | null {
  if (!last || !sameQuality(reading, last.reading)) return 'quality'
  if (reading.quality !== 'bad' && last.reading.quality !== 'bad') {
    const moved = Math.abs(reading.value - last.reading.value)
    const band = rule.deadband_percent === undefined ? rule.deadband : (Math.abs(last.reading.value) * rule.deadband_percent) / 100
    if (moved > 0 && moved >= band) return 'change'
  }
  // On a grid of their own, so that the quiet metrics of a site share a message and a packet instead of drifting apart.
  const due = rule.silence_ms === 0 || Math.floor(gridTime / rule.silence_ms) !== Math.floor(last.gridTime / rule.silence_ms)
  return due ? 'silence' : null
}

const sameQuality = (a: Reading, b: Reading): boolean =>
  a.quality === b.quality && (a.quality !== 'bad' || b.quality !== 'bad' || a.reason === b.reason)
