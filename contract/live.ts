import { type Static, Type } from 'typebox'
import { type Reading, readingOf } from './reading.ts'
import { type UnixMs, unixMs } from './units.ts'

/** One metric's newest value as it travels to API nodes and browsers: short names, since hundreds go out each second. */
export const LiveValue = Type.Object(
  {
    t: Type.Number({ description: 'Source time, ms since 1970 UTC' }),
    rx: Type.Number({ description: 'Receive time at ingest, ms since 1970 UTC' }),
    v: Type.Union([Type.Number(), Type.Null()], {
      description: 'Value in the unit of the metric catalogue, null when it could not be taken',
    }),
    q: Type.Integer({ description: '0 GOOD, 500 STALE, else the reason code for BAD (contract/reading.ts)' }),
  },
  { additionalProperties: false },
)
export type LiveValue = Static<typeof LiveValue>

/** The last state of one gate: retained on `sluice/v1/live/<area>/<gate>`, replaced as a whole. */
export const LiveState = Type.Object(
  {
    gate: Type.String(),
    area: Type.String(),
    site: Type.String(),
    online: Type.Boolean({ description: 'False after the Sparkplug death of the site or of this device' }),
    metrics: Type.Record(Type.String(), LiveValue),
  },
  { additionalProperties: false },
)
export type LiveState = Static<typeof LiveState>

export const liveReading = (value: LiveValue): Reading => readingOf(value.v, value.q)

/** Whether a value of this time may take the place of what is known: a late one never does. */
export const isNewer = (known: LiveValue | undefined, t: number): boolean => known === undefined || known.t <= t

/** Merges newer values into a state. @returns the names that changed. */
export function mergeLive(state: LiveState, metrics: Readonly<Record<string, LiveValue>>): string[] {
  const changed: string[] = []
  for (const [name, value] of Object.entries(metrics)) {
    if (!isNewer(state.metrics[name], value.t)) continue
    state.metrics[name] = value
    changed.push(name)
  }
  return changed
}

/** A value not refreshed within `staleAfterMs` is STALE, whatever quality it came with, unless it is BAD already. */
export function judgeAge(value: LiveValue, options: { now: UnixMs; staleAfterMs: number; online: boolean }): Reading {
  const reading = liveReading(value)
  if (reading.quality !== 'good') return reading
  const old = !options.online || options.now - Math.max(unixMs(value.t), 0) > options.staleAfterMs
  return old ? { quality: 'stale', value: reading.value } : reading
}
