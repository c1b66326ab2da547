import type { Sample } from './port.ts'

/** Influx keeps nanoseconds in 64 bits (and the end of a span, one more); the other stores take no more, so that a history can be moved. */
export const MAX_TIME_MS = 9_223_372_036_853

export type Sifted = { readonly storable: readonly Sample[]; readonly refused: readonly Sample[]; readonly reasons: readonly string[] }

/** Parts what a store can hold from what none ever could, or what is older than it keeps. */
export function sift(samples: readonly Sample[], keepFrom: number): Sifted {
  const reasons = new Set<string>()
  const refused: Sample[] = []
  const storable = samples.filter((sample) => {
    const why = whyRefused(sample) ?? (sample.t < keepFrom ? 'older than samples are kept' : null)
    if (why === null) return true
    reasons.add(why)
    refused.push(sample)
    return false
  })
  return { storable, refused, reasons: [...reasons] }
}

function whyRefused({ gate, metric, t, received, reading }: Sample): string | null {
  if (gate === '' || metric === '') return 'a gate or metric without a name'
  if (!isTime(t)) return `${t} is not a time in ms since 1970`
  if (!isTime(received)) return `${received} is not a time in ms since 1970 (received)`
  if (reading.quality !== 'bad' && !Number.isFinite(reading.value)) return `${reading.value} is not a finite number`
  return null
}

const isTime = (ms: number): boolean => Number.isInteger(ms) && ms >= 0 && ms <= MAX_TIME_MS
