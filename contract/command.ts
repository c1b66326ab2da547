import { type Static, Type } from 'typebox'
import { decodeCanonical, encodeCanonical } from './canonical-bytes.ts'
import { TighterLimits } from './control-limits.ts'
import { ID_PATTERN } from './topics.ts'

/** A command to one gate structure, and what its agent answers. docs/control.md tells the whole way. */

const closed = { additionalProperties: false } as const
const Id = Type.String({ pattern: ID_PATTERN })
const Ms = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000, description: 'ms since 1970 UTC' })
const Opening = Type.Number({ minimum: 0, maximum: 20, description: 'Clear height under the leaf, m' })
const Flow = Type.Number({ minimum: 0, maximum: 10_000, description: 'Through the whole structure, m³/s' })
const Level = Type.Number({ minimum: -5, maximum: 40, description: 'Upstream, above the structure’s datum, m' })

const action = <K extends string, P extends Parameters<typeof Type.Object>[0]>(kind: K, properties: P) =>
  Type.Object({ kind: Type.Literal(kind), ...properties }, closed)

const Open = action('open', {
  opening_m: Opening,
  leaf: Type.Union([Type.Integer({ minimum: 1, maximum: 99 }), Type.Null()], { description: 'null: every leaf' }),
})
const ToFlow = action('flow', { flow_m3s: Flow })
const HoldFlow = action('hold_flow', { flow_m3s: Flow })
const HoldLevel = action('hold_level', { level_up_m: Level })
const Manual = action('manual', {})

/** What may be ordered for a later time, and is then done by the agent's own clock. */
export const PresetAction = Type.Union([Open, ToFlow, HoldFlow, HoldLevel, Manual])
export type PresetAction = Static<typeof PresetAction>
export const Preset = Type.Object({ at: Ms, action: PresetAction }, closed)
export type Preset = Static<typeof Preset>

export const CommandAction = Type.Union([
  action('stop', {}),
  Open,
  ToFlow,
  HoldFlow,
  HoldLevel,
  Manual,
  action('schedule', { presets: Type.Array(Preset, { maxItems: 50, description: 'In place of all earlier ones; none cancels them' }) }),
  action('tag', { reason: Type.String({ minLength: 1, maxLength: 200 }), by: Type.String({ minLength: 1, maxLength: 100 }), until: Ms }),
  action('untag', {}),
  action('limits', { limits: TighterLimits }),
])
export type CommandAction = Static<typeof CommandAction>
export type ActionKind = CommandAction['kind']

export const Command = Type.Object(
  {
    v: Type.Literal(1),
    id: Type.String({ pattern: '^[0-9a-f-]{36}$' }),
    area: Id,
    site: Id,
    structure: Id,
    /** Of this structure; a command is done once, and none after a later one. */
    counter: Type.Integer({ minimum: 1, maximum: 9_007_199_254_740_991 }),
    issued: Ms,
    expires: Ms,
    /** Sign-in name, for the gatehouse's own log. */
    by: Type.String({ minLength: 1, maxLength: 100 }),
    action: CommandAction,
  },
  closed,
)
export type Command = Static<typeof Command>

export const encodeCommand = (command: Command): Uint8Array => encodeCanonical(command)
/** @returns null for bytes that are not a command in its one spelling. */
export const decodeCommand = (bytes: Uint8Array): Command | null => decodeCanonical(Command, bytes)

/** Why an agent did not take a command. */
export const REFUSALS = [
  'bad_signature',
  'malformed',
  'wrong_structure',
  'old_counter',
  'expired',
  'no_trusted_time',
  'tagged_out',
  'local',
  'fault',
  'busy',
  'sensor_bad',
  'sensor_stale',
  'outside_limits',
  'leaf_difference',
  'step_too_long',
  'too_soon',
  'too_many_starts',
  'drawdown',
  'level_up_limit',
  'level_down_limit',
  'flow_out_of_reach',
  'not_configured',
  'preset_in_past',
] as const
export type Refusal = (typeof REFUSALS)[number]

/** Why a move that was begun did not end where it should. */
export const FAILURES = [
  'no_movement',
  'wrong_direction',
  'stall',
  'overshoot',
  'timeout',
  'write_failed',
  'not_kept',
  'contact_lost',
  'went_local',
  'stopped',
  'fault',
  'sensor_lost',
  'level_up_limit',
  'level_down_limit',
  'tagged_out',
  'restarted',
  'still_moving',
] as const
export type Failure = (typeof FAILURES)[number]

const Reported = {
  v: Type.Literal(1),
  structure: Id,
  id: Type.String(),
  counter: Type.Integer(),
  /** When the state began, by the agent's clock. */
  t: Type.Number(),
  /** Of each leaf, m; null where the encoder gives nothing. */
  openings_m: Type.Array(Type.Union([Type.Number(), Type.Null()])),
  targets_m: Type.Union([Type.Array(Type.Number()), Type.Null()]),
}
export const CommandReport = Type.Union([
  Type.Object({ ...Reported, state: Type.Literal('accepted') }, closed),
  Type.Object({ ...Reported, state: Type.Literal('moving') }, closed),
  Type.Object({ ...Reported, state: Type.Literal('done') }, closed),
  Type.Object({ ...Reported, state: Type.Literal('expired') }, closed),
  Type.Object({ ...Reported, state: Type.Literal('refused'), reason: Type.Unsafe<Refusal>(Type.Enum([...REFUSALS])) }, closed),
  Type.Object({ ...Reported, state: Type.Literal('failed'), reason: Type.Unsafe<Failure>(Type.Enum([...FAILURES])) }, closed),
])
export type CommandReport = Static<typeof CommandReport>
export type AgentState = CommandReport['state']
export const isFinal = (state: AgentState): boolean => state !== 'accepted' && state !== 'moving'

export const encodeReport = (report: CommandReport): Uint8Array => encodeCanonical(report)
export const decodeReport = (bytes: Uint8Array): CommandReport | null => decodeCanonical(CommandReport, bytes)

export const MODES = ['manual', 'hold_flow', 'hold_level'] as const
export const ControlMode = Type.Union([
  Type.Object({ kind: Type.Literal('manual') }, closed),
  Type.Object({ kind: Type.Literal('hold_flow'), flow_m3s: Flow }, closed),
  Type.Object({ kind: Type.Literal('hold_level'), level_up_m: Level }, closed),
])
export type ControlMode = Static<typeof ControlMode>

/** What became of a preset whose time came, or that a stop cancelled before. */
export const PastPreset = Type.Object(
  {
    at: Ms,
    action: PresetAction,
    /** When its state began, by the agent's clock. */
    t: Type.Number(),
    state: Type.Unsafe<AgentState>(Type.Enum(['accepted', 'moving', 'done', 'refused', 'failed', 'expired'])),
    reason: Type.Union([Type.Unsafe<Refusal | Failure>(Type.Enum([...new Set([...REFUSALS, ...FAILURES])])), Type.Null()]),
  },
  closed,
)
export type PastPreset = Static<typeof PastPreset>
/** A status goes over a narrow link. */
export const MOST_PAST_PRESETS = 10
/** By it the reports of a preset are told from those of commands. */
export const presetId = ({ at }: Pick<Preset, 'at'>): string => `preset-${at}`

export const Tag = Type.Object({ reason: Type.String(), by: Type.String(), until: Ms }, closed)
export type Tag = Static<typeof Tag>

/** How the agent holds one structure, read back from it: what it is ordered to do stands beside what it does. */
export const ControlStatus = Type.Object(
  {
    v: Type.Literal(1),
    structure: Id,
    t: Type.Number(),
    /** Of the last command seen; null before the first agreement with the center. */
    counter: Type.Union([Type.Integer(), Type.Null()]),
    time: Type.Unsafe<'trusted' | 'untrusted'>(Type.Enum(['trusted', 'untrusted'])),
    mode: ControlMode,
    /** Why an automatic mode does nothing now; null while it works. */
    waiting: Type.Union([Type.String(), Type.Null()]),
    tag: Type.Union([Tag, Type.Null()]),
    presets: Type.Array(Preset),
    past: Type.Optional(
      Type.Array(PastPreset, { description: 'The latest presets whose time came, oldest first; older agents do not tell' }),
    ),
  },
  closed,
)
export type ControlStatus = Static<typeof ControlStatus>
export const encodeStatus = (status: ControlStatus): Uint8Array => encodeCanonical(status)
export const decodeStatus = (bytes: Uint8Array): ControlStatus | null => decodeCanonical(ControlStatus, bytes)

/** The agent's question: what time is it, and from which counters on? Fresh bytes, so that no old answer fits. */
export const NONCE_BYTES = 16
export const TimeAnswer = Type.Object(
  {
    v: Type.Literal(1),
    site: Id,
    nonce: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    /** The host's clock when it answered. */
    t: Ms,
    /** The last counter issued for each structure of the site. */
    counters: Type.Record(Type.String(), Type.Integer({ minimum: 0 })),
  },
  closed,
)
export type TimeAnswer = Static<typeof TimeAnswer>
export const encodeTimeAnswer = (answer: TimeAnswer): Uint8Array => encodeCanonical(answer)
export const decodeTimeAnswer = (bytes: Uint8Array): TimeAnswer | null => decodeCanonical(TimeAnswer, bytes)

/** What ingest hands on of an agent's `Command/State` or `Command/Control`, unread: whoever acts on it opens the seal. */
export const CommandNews = Type.Object(
  {
    v: Type.Literal(1),
    site: Id,
    gate: Id,
    about: Type.Unsafe<'state' | 'control'>(Type.Enum(['state', 'control'])),
    sealed: Type.String({ maxLength: 100_000, description: 'base64' }),
  },
  closed,
)
export type CommandNews = Static<typeof CommandNews>
