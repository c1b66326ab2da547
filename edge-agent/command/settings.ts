import { type Static, Type } from 'typebox'
import { ControlLimits } from '#contract/control-limits.ts'
import { ID_PATTERN } from '#contract/topics.ts'

const closed = { additionalProperties: false } as const

/** How one structure is moved: `control` of a device. */
export const StructureControl = Type.Object(
  {
    limits: ControlLimits,
    leaf_width_m: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'Clear width of one leaf, in m; without it nothing is done by flow' }),
    ),
    sill_m: Type.Number({ default: 0, description: 'Sill above the zero of the levels, in m' }),
    speed_m_per_min: Type.Number({
      exclusiveMinimum: 0,
      default: 0.2,
      description: 'Slowest that a leaf travels; a way takes at most 1.5 times as long, and 10 s',
    }),
    no_movement_s: Type.Number({
      exclusiveMinimum: 0,
      default: 10,
      description: 'Without 3 mm of movement by then after its start a leaf does not move, in s',
    }),
    stall_s: Type.Number({
      exclusiveMinimum: 0,
      default: 8,
      description: 'Without 3 mm of movement in this time a leaf on its way has stalled, in s',
    }),
    watch_ms: Type.Integer({ minimum: 100, default: 1000, description: 'How often the structure is read while a leaf moves, in ms' }),
    stale_after_s: Type.Number({
      exclusiveMinimum: 0,
      default: 20,
      description: 'A reading older than this is no ground to move a leaf on, in s',
    }),
    fault_mask: Type.Integer({
      minimum: 0,
      maximum: 4_294_967_295,
      default: 4_294_967_295,
      description: 'Bits of `fault` that forbid a move',
    }),
    contact_loss: Type.Enum(['hold', 'finish'], {
      default: 'hold',
      description: 'What becomes of a commanded move when the broker is lost on the way; presets and automatic modes go on by themselves',
    }),
    contact_grace_s: Type.Number({ minimum: 0, default: 30, description: 'The broker is lost when it was away so long, in s' }),
    flow_deadband: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.03,
      description: 'Share of a wanted flow within which it is reached',
    }),
    level_deadband_m: Type.Number({
      exclusiveMinimum: 0,
      default: 0.02,
      description: 'Deviation from a held level at which nothing is done, in m',
    }),
    automatic_every_s: Type.Number({ exclusiveMinimum: 0, default: 300, description: 'How often an automatic mode judges anew, in s' }),
    automatic_step: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.1,
      description: 'Most that an automatic mode changes the flow in one step, as a share',
    }),
    level_gain: Type.Number({
      exclusiveMinimum: 0,
      default: 0.5,
      description: 'Held level: share of the opening changed for each 10 cm of deviation',
    }),
    safe_after_s: Type.Number({
      minimum: 0,
      default: 120,
      description: 'An automatic mode without sound sensors for so long becomes manual: the leaves stay, in s',
    }),
    settle_s: Type.Number({ minimum: 0, default: 15, description: 'From the end of a way to the judgement of the flow, in s' }),
  },
  { ...closed, default: {} },
)
export type StructureControl = Static<typeof StructureControl>

/** Whom the site believes: `control` of a site. */
export const SiteControl = Type.Object(
  {
    command_keys: Type.Array(Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }), {
      minItems: 1,
      maxItems: 8,
      description: 'Ed25519 public keys of the center, base64url; two while a key is being exchanged',
    }),
    site_key: Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      env: 'SLUICE_SITE_KEY',
      description: 'The site’s own secret, 32 bytes as base64url: reports and receipts are sealed with it; rather by SLUICE_SITE_KEY',
    }),
    state: Type.String({ minLength: 1, description: 'Folder that keeps counters, tags, modes and presets over a restart' }),
    max_clock_error_ms: Type.Integer({
      minimum: 100,
      default: 2000,
      description: 'Most by which clock and host may differ, beside half the round trip, in ms',
    }),
    longest_round_trip_ms: Type.Integer({ minimum: 100, default: 10_000, description: 'A slower answer tells no time, in ms' }),
    time_every_s: Type.Number({ exclusiveMinimum: 0, default: 600, description: 'How often the time is agreed anew, in s' }),
    time_trusted_h: Type.Number({
      exclusiveMinimum: 0,
      default: 48,
      description: 'How long an agreement holds while the link is down, in h',
    }),
  },
  closed,
)
export type SiteControl = Static<typeof SiteControl>

/** What `sluice access site` gives out: the part of a site's file that is about trust. */
export const SiteKeys = Type.Object(
  {
    site: Type.String({ pattern: ID_PATTERN }),
    area: Type.String({ pattern: ID_PATTERN }),
    broker: Type.Object({ url: Type.String(), username: Type.String(), password: Type.String() }, closed),
    control: Type.Pick(SiteControl, ['command_keys', 'site_key', 'state'], closed),
  },
  closed,
)
export type SiteKeys = Static<typeof SiteKeys>
