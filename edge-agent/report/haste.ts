import { leafOfOpening, metricOf } from '#contract/metrics.ts'
import type { Reading } from '#contract/reading.ts'
import type { ReportSettings } from './settings.ts'

type Limits = ReportSettings['limits']

/** So long after the last sign of movement a bus is still read fast: the level behind a gate goes on moving. In ms. */
const LINGER_MS = 30_000

/** Which buses are to be read faster: those on which a leaf moves, or a level is near an alarm limit. */
export class Haste {
  readonly #limits: Limits
  readonly #elapsed: () => number
  /** By structure and metric: where a leaf was when it last moved; null for what is no leaf's opening. */
  readonly #openings = new Map<string, Map<string, { at: number; readonly deadband: number } | null>>()
  readonly #until = new Map<string, number>()

  constructor(limits: Limits, elapsed: () => number) {
    this.#limits = limits
    this.#elapsed = elapsed
  }

  /** To be called with everything that is read. */
  watch(bus: string, structure: string, readings: ReadonlyMap<string, Reading>): void {
    const moves = this.#moves(structure, readings)
    if (moves || nearLimit(this.#limits, structure, readings)) this.#until.set(bus, this.#elapsed() + LINGER_MS)
  }

  isOn(bus: string): boolean {
    return this.#elapsed() < (this.#until.get(bus) ?? Number.NEGATIVE_INFINITY)
  }

  #moves(structure: string, readings: ReadonlyMap<string, Reading>): boolean {
    let moves = false
    const openings = this.#openings.get(structure) ?? new Map()
    this.#openings.set(structure, openings)
    for (const [metric, reading] of readings) {
      if (reading.quality !== 'good') continue
      if (metric === 'moving' && reading.value !== 0) moves = true
      const opening = openings.get(metric)
      if (opening === undefined) openings.set(metric, openingAt(metric, reading.value))
      else if (opening && Math.abs(reading.value - opening.at) >= opening.deadband) {
        opening.at = reading.value
        moves = true
      }
    }
    return moves
  }
}

const openingAt = (metric: string, at: number): { at: number; readonly deadband: number } | null =>
  leafOfOpening(metric) === undefined ? null : { at, deadband: metricOf(metric)?.deadband ?? 0 }

export function nearLimit(limits: Limits, structure: string, readings: ReadonlyMap<string, Reading>): boolean {
  return limits.some((limit) => {
    const reading = limit.structure === structure ? readings.get(limit.metric) : undefined
    if (reading?.quality !== 'good') return false
    const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY, near } = limit
    return reading.value <= low + near || reading.value >= high - near
  })
}
