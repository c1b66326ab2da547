import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { Fault } from '#contract/fault.ts'

const ms = (description: string) => Type.Number({ minimum: 0, maximum: 2_147_483_647, description })
const bitsPerSecond = (description: string) => Type.Number({ exclusiveMinimum: 0, description })

/** What a link does to the bytes. "Up" is from whoever connects (the agent) to the target (the broker), "down" is back. */
export const LinkSettings = Type.Object(
  {
    up_bits_per_s: bitsPerSecond('Bandwidth up, shared by all connections; TCP/IP headers count'),
    down_bits_per_s: bitsPerSecond('Bandwidth down'),
    latency_ms: ms('The least time from the last bit sent to its arrival, one way'),
    jitter_ms: ms('The most that is added to one packet’s latency, one way; order is kept'),
    buffer_bytes: Type.Integer({ minimum: 1, description: 'What the modem holds in each direction; beyond it, the sender waits' }),
    idle_death_ms: ms('A connection on which nothing went for so long dies half-open, as when an operator drops the context; 0 never'),
    stall_every_ms: ms('Mean time from one stall to the next; 0 none'),
    stall_ms: ms('How long nothing passes in such a stall'),
    outage_every_ms: ms('Mean time from one outage to the next; 0 none'),
    outage_ms: ms('How long such an outage lasts: connections are reset, new ones refused'),
  },
  { additionalProperties: false },
)
export type LinkSettings = Static<typeof LinkSettings>

/** @throws Fault CONFIG_INVALID that names each setting that can't be. */
export function checkLink(settings: LinkSettings): LinkSettings {
  if (Value.Check(LinkSettings, settings)) return settings
  const mistakes = Value.Errors(LinkSettings, settings).map((e) => `${e.instancePath.slice(1) || 'link'} ${e.message}`)
  throw new Fault('CONFIG_INVALID', `the link can't be so: ${mistakes.join('; ')}`, 'correct the settings named')
}
