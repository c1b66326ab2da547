import type { OrderReadings } from '#contract/http/order.ts'
import type { Gate } from '#contract/http.ts'
import { judgeAge } from '#contract/live.ts'
import type { UnixMs } from '#contract/units.ts'

/** What is written down of the gate at a step: sound values only. An old or bad one is no record of that moment. */
export function readingsOf(
  { state, stale_after_ms, leaves }: Pick<Gate, 'state' | 'stale_after_ms' | 'leaves'>,
  now: UnixMs,
): OrderReadings | null {
  if (!state) return null
  const sound = (metric: string): number | null => {
    const value = state.metrics[metric]
    const reading = value && judgeAge(value, { now, staleAfterMs: stale_after_ms, online: state.online })
    return reading?.quality === 'good' ? reading.value : null
  }
  return {
    flow_m3s: sound('flow'),
    level_up_m: sound('level_up'),
    level_down_m: sound('level_down'),
    openings_m: Array.from({ length: leaves }, (_, i) => sound(i === 0 ? 'opening' : `opening_${i + 1}`)),
  }
}
