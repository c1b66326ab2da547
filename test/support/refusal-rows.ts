import type { zhReasons } from '../../dashboard/src/command/reasons.ts'

/** Why a command is refused, fails or is over, as the dispatcher's screen has words for it. */
export type Reason = keyof typeof zhReasons.reason
/** Of each part, what is refused, in its order: a row that was not reached is not a row that was right. */
export const ROWS = {
  agent: [
    ...['outside_limits', 'step_too_long', 'flow_out_of_reach', 'wrong_structure', 'preset_in_past'],
    ...['local', 'fault', 'sensor_bad', 'drawdown', 'busy'],
    ...['too_soon', 'too_many_starts', 'level_up_limit', 'level_down_limit', 'leaf_difference', 'expired'],
  ],
  way: [
    ...['no_movement', 'stall', 'wrong_direction', 'overshoot', 'went_local', 'fault'],
    ...['GATE_BUSY', 'stopped', 'tagged_out', 'still_moving', 'not_kept'],
  ],
  center: [
    ...['BAD_REQUEST', 'SELECTION_OVER', 'TAGGED_OUT', 'CANAL_HELD', 'CONFLICT'],
    ...['no such gate', 'NOT_ALLOWED', 'SECOND_FACTOR_NEEDED', 'awaiting'],
  ],
  restarts: [
    ...['restarted', 'old_counter', 'not_configured', 'timeout', 'contact_lost', 'sensor_lost'],
    ...['sensor_stale', 'write_failed', 'no_trusted_time'],
  ],
} as const
export const AT_THE_END = ['no_answer', 'unavailable']
/** Of what no API of this center sent: its sender reads no screen of ours. */
export const NEVER_SHOWN = ['bad_signature', 'malformed']
