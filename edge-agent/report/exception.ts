import { metricOf } from '#contract/metrics.ts'
import { good, type Reading } from '#contract/reading.ts'
import { newsIn, type Reported, type Rule } from './rule.ts'

type Known = { reported: Reported | undefined; recent: number[] }

export type News = {
  readonly readings: ReadonlyMap<string, Reading>
  /** A quality or a switch has changed: not to wait for company. */
  readonly urgent: boolean
  /** To be called when the readings have been kept: from then on they are what later ones are compared with. */
  readonly kept: () => void
}

/** Report by exception: of what is read, only what the center does not know within the deadband is kept and sent. */
export class Exceptions {
  readonly #ruleOf: (metric: string) => Rule
  readonly #known = new Map<string, Map<string, Known>>()

  constructor(ruleOf: (metric: string) => Rule) {
    this.#ruleOf = ruleOf
  }

  /** Takes a device's readings of one time of the poll grid. */
  sift(structure: string, gridTime: number, readings: ReadonlyMap<string, Reading>): News {
    const device = this.#known.get(structure) ?? new Map<string, Known>()
    this.#known.set(structure, device)
    const news = new Map<string, Reading>()
    let urgent = false
    for (const [metric, raw] of readings) {
      const known = device.get(metric) ?? { reported: undefined, recent: [] }
      device.set(metric, known)
      const rule = this.#ruleOf(metric)
      const reading = median(known.recent, raw, rule.median_reads)
      const why = newsIn(reading, gridTime, known.reported, rule)
      if (why === null) continue
      news.set(metric, reading)
      if (why === 'quality' || (why === 'change' && isSwitch(metric))) urgent = true
    }
    const kept = (): void => {
      for (const [metric, reading] of news) {
        const known = device.get(metric)
        if (known) known.reported = { gridTime, reading }
      }
    }
    return { readings: news, urgent, kept }
  }
}

const isSwitch = (metric: string): boolean => metricOf(metric)?.deadband === 0

/** Only good readings are averaged: what could not be read says so at once, and what comes after it starts anew. */
function median(recent: number[], reading: Reading, reads: number): Reading {
  if (reads === 1) return reading
  if (reading.quality !== 'good') {
    recent.length = 0
    return reading
  }
  recent.push(reading.value)
  if (recent.length > reads) recent.splice(0, recent.length - reads)
  const sorted = recent.toSorted((a, b) => a - b)
  // The lower of the two middle ones where there is no middle: a value that was read, never one between.
  return good(sorted[(sorted.length - 1) >> 1] ?? reading.value)
}
