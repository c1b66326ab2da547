import type { Structure } from '#contract/district.ts'
import { DERIVED_FLOW, metricOf } from '#contract/metrics.ts'
import { bad, type Reading } from '#contract/reading.ts'
import type { SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { readingOfMetric } from '#contract/sparkplug/readings.ts'
import { type DeviceAddress, isProtocolMetric } from '#contract/topics.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Sample } from '#history/port.ts'

export type Refusal = { readonly metric: string | null; readonly reason: string }
export type Accepted = { readonly samples: Sample[]; readonly refusals: Refusal[] }

/** 2100-01-01: beyond it a timestamp is a unit mistake (µs, ns), which would stay "the newest" for ever. */
const LATEST_MS = 4_102_444_800_000

/** Decides what of a message becomes samples of which gate. Pure; nothing is lost silently: the rest is a refusal with its reason. */
export function accept(
  gate: Structure | undefined,
  message: {
    readonly address: DeviceAddress
    readonly metrics: readonly (SparkplugMetric & { name: string })[]
    readonly unread: readonly string[]
    /** Stands in where a metric has no timestamp. */
    readonly payloadTime: UnixMs
    readonly received: UnixMs
  },
): Accepted {
  const { address, received } = message
  const whole = refusalOfAll(gate, address)
  if (whole || !gate) return { samples: [], refusals: [{ metric: null, reason: whole ?? 'no such gate' }] }

  const samples: Sample[] = []
  const refusals: Refusal[] = message.unread.map((metric) => ({ metric, reason: 'a datatype that is not a measured value' }))
  for (const m of message.metrics) {
    if (isProtocolMetric(m.name)) continue
    const known = metricOf(m.name)
    if (!known) {
      refusals.push({ metric: m.name, reason: 'not in the metric catalogue' })
      continue
    }
    if (m.name === DERIVED_FLOW) {
      refusals.push({ metric: m.name, reason: 'derived by the center from levels and openings, not measured' })
      continue
    }
    const read = readingOfMetric(m, message.payloadTime)
    if ('refused' in read) refusals.push({ metric: m.name, reason: read.refused })
    else if (!(read.t >= 0 && read.t < LATEST_MS)) refusals.push({ metric: m.name, reason: 'its timestamp is no time in ms since 1970' })
    else samples.push({ gate: gate.id, metric: m.name, t: read.t, received, reading: within(known.range, read.reading) })
  }
  return { samples, refusals }
}

function refusalOfAll(gate: Structure | undefined, a: DeviceAddress): string | undefined {
  if (!gate) return `gate ${a.device} is not registered`
  // A site may speak only for its own gates, or one stolen gatehouse could falsify all others.
  if (gate.site !== a.node) return `gate ${gate.id} belongs to site ${gate.site}, not to ${a.node}`
  if (gate.area !== a.group) return `gate ${gate.id} is in area ${gate.area}, not in ${a.group}`
  return undefined
}

function within([min, max]: readonly [number, number], reading: Reading): Reading {
  return reading.quality === 'good' && (reading.value < min || reading.value > max) ? bad('out_of_range') : reading
}
