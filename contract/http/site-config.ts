import { type Static, Type } from 'typebox'
import { paged } from '../http.ts'
import { CONFIG_HASH_CHARS, MOST_CONFIG_CHARS, TRIAL_S, TrialSeconds } from '../site-config.ts'

const closed = { additionalProperties: false } as const
const Why = Type.String({ minLength: 1, maxLength: 500, description: 'For the next engineer' })
const trial_s = Type.Optional({ ...TrialSeconds, default: TRIAL_S.usual })

export const NewSiteConfig = Type.Object(
  {
    text: Type.String({ maxLength: MOST_CONFIG_CHARS, description: 'YAML: the part of the site’s settings that the center may change' }),
    basis: Type.Union([Type.String({ pattern: `^[0-9a-f]{${CONFIG_HASH_CHARS}}$` }), Type.Null()], {
      description: 'Hash of the text that was edited; the site refuses it where another runs by now. null: whatever runs there',
    }),
    why: Why,
    trial_s,
  },
  closed,
)
export type NewSiteConfig = Static<typeof NewSiteConfig>
/** An earlier version is sent again, as a new one. */
export const SiteConfigAgain = Type.Object({ why: Why, trial_s }, closed)
export type SiteConfigAgain = Static<typeof SiteConfigAgain>

export const SiteConfigView = Type.Object({
  id: Type.String(),
  version: Type.Integer({ description: 'Counted for each site from 1; 0 for what stood in the site’s own file' }),
  hash: Type.String(),
  state: Type.Enum(['sent', 'trial', 'in_force', 'replaced', 'refused', 'rolled_back', 'set_aside', 'superseded', 'unanswered', 'told']),
  reason: Type.Union([Type.String(), Type.Null()], {
    description: 'Of the agent; each mistake on a line, with line and column of the text',
  }),
  trial_s: Type.Integer(),
  by: Type.String({ description: 'Sign-in name; empty for what the site told' }),
  why: Type.String(),
  made_at: Type.Number({ description: 'ms since 1970 UTC' }),
  updated_at: Type.Number({ description: 'ms since 1970 UTC' }),
})
export type SiteConfigView = Static<typeof SiteConfigView>
export const SiteConfigList = paged(SiteConfigView)
export type SiteConfigList = Static<typeof SiteConfigList>
export const SiteConfigText = Type.Object({ ...SiteConfigView.properties, text: Type.String() })
export type SiteConfigText = Static<typeof SiteConfigText>
