import { type LiveState, liveReading } from '#contract/live.ts'
import { drawable } from '#contract/reading.ts'
import type { TailPoint } from './columns.ts'

/** More than arrive between two readings of the history. */
const KEPT = 2000

/** Adds what a state brings that is newer than the tail. @returns whether anything was */
export function extendTail(tail: Map<string, TailPoint[]>, state: LiveState): boolean {
  let grown = false
  for (const [metric, value] of Object.entries(state.metrics)) {
    const points = tail.get(metric) ?? []
    const last = points.at(-1)
    if (last && last.t >= value.t) continue
    points.push({ t: value.t, value: drawable(liveReading(value)), bad: value.q !== 0 })
    if (points.length > KEPT) points.splice(0, points.length - KEPT)
    tail.set(metric, points)
    grown = true
  }
  return grown
}
