import type { Reading } from '#contract/reading.ts'
import { type CubicMetresPerSecond, cubicMetresPerSecond, type Milliseconds, milliseconds, type UnixMs } from '#contract/units.ts'
import type { CubicMetres } from './volume-units.ts'
import { cubicMetres } from './volume-units.ts'

export type TimedReading = { readonly t: UnixMs; readonly reading: Reading }

export type Window = {
  /** Inclusive. */
  readonly from: UnixMs
  /** Exclusive. */
  readonly to: UnixMs
  /** Two good samples this close together cover the time between them. */
  readonly expectedEvery: Milliseconds
  /** Two good samples farther apart than this say nothing of the time between them. */
  readonly longestBridged: Milliseconds
}

/** The parts of a window; they sum to its length. */
export type Coverage = {
  readonly covered: Milliseconds
  /** A gap, or a BAD or STALE sample, with a straight line drawn across. */
  readonly bridged: Milliseconds
  /** Nothing is reckoned for it. */
  readonly missing: Milliseconds
}

export type Integral = Coverage & {
  /** ∫value·dt over what is covered and bridged, in unit · seconds. */
  readonly unitSeconds: number
}

export type Volume = Coverage & {
  /** Of what is covered and bridged; null where that is nothing though the window is not empty. */
  readonly volume: CubicMetres | null
  /** Time-weighted over what is covered and bridged. */
  readonly meanFlow: CubicMetresPerSecond | null
}

export type TimeWeightedMean = Coverage & { readonly mean: number | null }

/**
 * Volume that flowed in a window: the trapezoid rule. Give the samples next to the window on both sides too: a straight line that crosses an end
 * counts up to it, so that a window split anywhere sums to the whole. Samples may come in any order; of two at one time the later in the list holds.
 * @throws RangeError for a window that is none.
 */
export function volumeOf(samples: Iterable<TimedReading>, window: Window): Volume {
  return toVolume(integrate(samples, window))
}

/** Mean weighted by time (of a level, an opening …), which the mean of samples reported on change is not. Samples as for {@link volumeOf}. */
export function timeWeightedMean(samples: Iterable<TimedReading>, window: Window): TimeWeightedMean {
  const { unitSeconds, ...coverage } = integrate(samples, window)
  const known = coverage.covered + coverage.bridged
  return { ...coverage, mean: known > 0 ? (unitSeconds * 1000) / known : null }
}

export function integrate(samples: Iterable<TimedReading>, window: Window): Integral {
  const byTime = new Map<UnixMs, Reading>()
  for (const { t, reading } of samples) byTime.set(t, reading)
  const integral = startIntegral(window)
  for (const [t, reading] of [...byTime].toSorted(([a], [b]) => a - b)) integral.add({ t, reading })
  return integral.result()
}

/** For long series that come by time anyhow: holds two samples, not all. Samples must ascend. @throws RangeError for one that does not. */
export function startIntegral(window: Window): { add: (sample: TimedReading) => void; result: () => Integral } {
  const { from, to, expectedEvery, longestBridged } = window
  if (!(Number.isFinite(from) && Number.isFinite(to) && from <= to)) throw new RangeError(`no window from ${from} to ${to}`)
  if (!(expectedEvery >= 0 && longestBridged >= 0)) throw new RangeError(`no gaps of ${expectedEvery} and ${longestBridged} ms`)
  let last: { t: number; value: number } | undefined
  let latest = Number.NEGATIVE_INFINITY
  let interrupted = false
  let [covered, bridged, unitMs] = [0, 0, 0]

  const add = ({ t, reading }: TimedReading): void => {
    if (!(t > latest)) throw new RangeError(`sample at ${t} comes after one at ${latest}`)
    latest = t
    if (reading.quality !== 'good' || !Number.isFinite(reading.value)) {
      interrupted = true
      return
    }
    const { value } = reading
    if (last) {
      const gap = t - last.t
      const [begin, end] = [Math.max(from, last.t), Math.min(to, t)]
      if (gap <= longestBridged && end > begin) {
        const { t: t0, value: v0 } = last
        const at = (time: number): number => v0 + (value - v0) * ((time - t0) / gap)
        unitMs += ((at(begin) + at(end)) / 2) * (end - begin)
        if (gap <= expectedEvery && !interrupted) covered += end - begin
        else bridged += end - begin
      }
    }
    last = { t, value }
    interrupted = false
  }
  const result = (): Integral => ({
    unitSeconds: unitMs / 1000,
    covered: milliseconds(covered),
    bridged: milliseconds(bridged),
    missing: milliseconds(to - from - covered - bridged),
  })
  return { add, result }
}

/** An integral of m³/s as a volume. */
export function toVolume({ unitSeconds, covered, bridged, missing }: Integral): Volume {
  const known = covered + bridged
  return {
    covered,
    bridged,
    missing,
    volume: known > 0 || missing === 0 ? cubicMetres(unitSeconds) : null,
    meanFlow: known > 0 ? cubicMetresPerSecond((unitSeconds * 1000) / known) : null,
  }
}

/** Volume of adjoining windows. What is missing in one is missing in the sum, so the sum of known parts is null only if every part is. */
export function sumVolumes(parts: readonly Volume[]): Volume {
  let [unitSeconds, covered, bridged, missing] = [0, 0, 0, 0]
  for (const part of parts) {
    unitSeconds += part.volume ?? 0
    covered += part.covered
    bridged += part.bridged
    missing += part.missing
  }
  return toVolume({ unitSeconds, covered: milliseconds(covered), bridged: milliseconds(bridged), missing: milliseconds(missing) })
}

/** Share of the window, 0 to 1, that is covered or bridged; 1 for an empty window. Below 0.9 a daily value is marked as incomplete. */
export function completeness({ covered, bridged, missing }: Coverage): number {
  const whole = covered + bridged + missing
  return whole === 0 ? 1 : (covered + bridged) / whole
}
