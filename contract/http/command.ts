import { type Static, Type } from 'typebox'
import { CommandAction, CommandReport, ControlStatus } from '../command.ts'
import { paged } from '../http.ts'

/** What the API says of commands, lock-outs and who holds a canal. */
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()])
const Ms = Type.Number({ description: 'ms since 1970 UTC' })

export const CommandView = Type.Object(
  {
    id: Type.String(),
    structure: Type.String(),
    area: Type.String(),
    action: CommandAction,
    state: Type.Enum(['selected', 'awaiting', 'cancelled', 'sent', 'accepted', 'moving', 'done', 'refused', 'failed', 'expired'], {
      description: 'awaiting: a second person must approve. From `sent` on it is the agent’s word',
    }),
    reason: Nullable(Type.String()),
    needs_second: Type.Boolean(),
    by: Type.String(),
    approved_by: Nullable(Type.String()),
    order: Nullable(Type.String()),
    counter: Nullable(Type.Number()),
    selected_at: Ms,
    expires_at: Ms,
    confirmed_at: Nullable(Ms),
    moving_at: Nullable(Ms),
    updated_at: Ms,
    report: Nullable(CommandReport),
  },
  { additionalProperties: false },
)
export type CommandView = Static<typeof CommandView>
export const CommandList = paged(CommandView)

export const Arrival = Type.Object({
  structure: Type.String(),
  distance_km: Type.Number(),
  earliest_min: Type.Number({ description: 'The front: dynamic wave' }),
  latest_min: Type.Number({ description: 'The change itself: kinematic wave' }),
  level_lowest_m: Type.Number({ description: 'Change of its upstream level 6 h from now, lower end' }),
  level_highest_m: Type.Number(),
})
export const WARNINGS = [
  'flow_above_design',
  'flow_change_large',
  'level_below_design',
  'level_above_design',
  'sensors_unsound',
  'is_automatic',
] as const
export const Preview = Type.Object({
  openings_m: Nullable(Type.Array(Type.Number())),
  targets_m: Nullable(Type.Array(Type.Number())),
  flow_now_m3s: Nullable(Type.Number()),
  flow_then_m3s: Nullable(Type.Number()),
  /** Of flow_then, relative, about 95 %. */
  uncertainty: Type.Number(),
  arrivals: Type.Array(Arrival),
  warnings: Type.Array(Type.Unsafe<(typeof WARNINGS)[number]>(Type.Enum([...WARNINGS]))),
})
export type Preview = Static<typeof Preview>

export const SelectCommand = Type.Object(
  { action: CommandAction, order: Type.Optional(Type.String({ maxLength: 64, description: 'The dispatch order that it carries out' })) },
  { additionalProperties: false },
)
export const Selected = Type.Object({ command: CommandView, preview: Preview })
export type Selected = Static<typeof Selected>

export const LockoutView = Type.Object({
  id: Type.String(),
  structure: Type.String(),
  reason: Type.String(),
  by: Type.String(),
  by_name: Type.String(),
  at: Ms,
  until: Ms,
})
export type LockoutView = Static<typeof LockoutView>
export const LockoutList = paged(LockoutView)
export const NewLockout = Type.Object(
  {
    reason: Type.String({ minLength: 1, maxLength: 200 }),
    hours: Type.Number({ exclusiveMinimum: 0, maximum: 24 * 90, description: 'Until it ends by itself' }),
  },
  { additionalProperties: false },
)

export const HoldView = Type.Object({
  canal: Type.String(),
  login: Type.String(),
  name: Type.String(),
  since: Ms,
  offered_to: Nullable(Type.String()),
})
export type HoldView = Static<typeof HoldView>
export const HoldList = paged(HoldView)

export const GateControl = Type.Object({
  structure: Type.String(),
  available: Type.Boolean({ description: 'The center has a signing key, and the site has keys' }),
  needs_second: Type.Boolean(),
  needs_second_factor: Type.Boolean({ description: 'This session may command only after a code of the second factor' }),
  may: Type.Object({ command: Type.Boolean(), lock_out: Type.Boolean() }),
  status: Nullable(ControlStatus),
  lockouts: Type.Array(LockoutView),
  hold: Nullable(HoldView),
  last: Nullable(CommandView),
  under_way: Type.Union([CommandView, Type.Null()], {
    description: 'Sent, and not ended by the agent’s word; a newer one may be selected beside it',
  }),
  schedule: Type.Union([CommandView, Type.Null()], {
    description:
      'The last word about its presets: the schedule that was sent, or the stop that cancelled them; `status` is what the agent has',
  }),
})
export type GateControl = Static<typeof GateControl>

/** Socket.io `command`: something about the control of this gate has changed. */
export type CommandMessage = { gate: string; command: CommandView | null; status: ControlStatus | null; lockouts: LockoutView[] | null }
