import { type Static, Type } from 'typebox'
import { decodeCanonical, encodeCanonical } from './canonical-bytes.ts'
import { ID_PATTERN } from './topics.ts'

/**
 * The site's configuration, as far as the center may change it. The center numbers each version that it sends; the agent takes a version on trial
 * and keeps it when it has heard of the center with it. docs/field-engineer.md tells the whole way.
 */

const closed = { additionalProperties: false } as const
const Id = Type.String({ pattern: ID_PATTERN })
const Version = Type.Integer({ minimum: 1, maximum: 4_294_967_295 })
/** So much of the SHA-256 of a text, hex: names a text for a person, whatever its number. */
export const CONFIG_HASH_CHARS = 16
const Hash = Type.String({ pattern: `^[0-9a-f]{${CONFIG_HASH_CHARS}}$` })
export const MOST_CONFIG_CHARS = 60_000
const Text = Type.String({ maxLength: MOST_CONFIG_CHARS, description: 'YAML' })

export const TRIAL_S = { least: 5, most: 3600, usual: 300 } as const
export const TrialSeconds = Type.Integer({
  minimum: TRIAL_S.least,
  maximum: TRIAL_S.most,
  description: 'Without an answer of the center for so long after the take-over the agent goes back by itself, in s',
})

/** Signed by an API, for one site. */
export const ConfigOrder = Type.Union([
  Type.Object(
    {
      v: Type.Literal(1),
      kind: Type.Literal('offer'),
      area: Id,
      site: Id,
      /** Of this site; none is taken after a later one. */
      version: Version,
      /** Of the text that was edited: where the site runs another by now, this is refused. null: whatever runs there. */
      basis: Type.Union([Hash, Type.Null()]),
      trial_s: TrialSeconds,
      text: Text,
    },
    closed,
  ),
  /** Tell what is in force. */
  Type.Object({ v: Type.Literal(1), kind: Type.Literal('read'), area: Id, site: Id }, closed),
])
export type ConfigOrder = Static<typeof ConfigOrder>
export type ConfigOffer = Extract<ConfigOrder, { kind: 'offer' }>

/** `version` null: the site's own file. */
const Running = Type.Object({ version: Type.Union([Version, Type.Null()]), hash: Hash }, closed)
export type RunningConfig = Static<typeof Running>

/** What became of a version. `set_aside`: it was in force, and the site's own file has been edited since, or can no longer be joined with it. */
export const CONFIG_OUTCOMES = ['trial', 'in_force', 'refused', 'rolled_back', 'set_aside'] as const
export type ConfigOutcome = (typeof CONFIG_OUTCOMES)[number]
export const MOST_REASON_CHARS = 8000

export const ConfigReport = Type.Object(
  {
    v: Type.Literal(1),
    kind: Type.Literal('report'),
    site: Id,
    version: Version,
    state: Type.Unsafe<ConfigOutcome>(Type.Enum([...CONFIG_OUTCOMES])),
    /** Each mistake on a line of its own, with line and column of the text. */
    reason: Type.Union([Type.String({ maxLength: MOST_REASON_CHARS }), Type.Null()]),
    /** The highest version that the agent has seen. */
    seen: Version,
    running: Running,
    /** By the agent's clock, ms since 1970 UTC. */
    t: Type.Number(),
  },
  closed,
)
export type ConfigReport = Static<typeof ConfigReport>

/** Sealed by the agent. */
export const ConfigNews = Type.Union([
  ConfigReport,
  Type.Object({ v: Type.Literal(1), kind: Type.Literal('text'), site: Id, running: Running, text: Text, t: Type.Number() }, closed),
])
export type ConfigNews = Static<typeof ConfigNews>

export const encodeConfigOrder = (order: ConfigOrder): Uint8Array => encodeCanonical(order)
export const decodeConfigOrder = (bytes: Uint8Array): ConfigOrder | null => decodeCanonical(ConfigOrder, bytes)
export const encodeConfigNews = (news: ConfigNews): Uint8Array => encodeCanonical(news)
export const decodeConfigNews = (bytes: Uint8Array): ConfigNews | null => decodeCanonical(ConfigNews, bytes)
