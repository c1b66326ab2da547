import { randomBytes } from 'node:crypto'
import { TOKEN_SCOPES, type TokenScope } from '#contract/http/access.ts'
import type { Action, HeldGrant } from '#contract/may.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { ApiToken } from '#registry/access.ts'
import type { Registry } from '#registry/port.ts'
import { hashToken, type SignedIn } from './sessions.ts'

/** Commands, tags and people are not among what a token may be for: a gate moves by a person's hand. */
const SCOPES: readonly (TokenScope & Action)[] = TOKEN_SCOPES

const PREFIX = 'sluice_'
/** The last use is written so often at most. */
const NOTED_MS = 60_000

type Deps = { readonly registry: Pick<Registry, 'access' | 'people'>; readonly now: () => UnixMs }
export type FindToken = (token: string) => Promise<SignedIn | undefined>

/** @returns the token, shown once, and what the registry keeps of it. The prefix lets a leaked one be found by a search. */
export function makeToken(): { token: string; tokenHash: string } {
  const token = `${PREFIX}${randomBytes(32).toString('base64url')}`
  return { token, tokenHash: hashToken(token) }
}

/** What the person may now, as far as the token reaches: a grant that was taken from the person is the token's no longer. */
export function narrowed(grants: readonly HeldGrant[], { scopes, area }: Pick<ApiToken, 'scopes' | 'area'>): HeldGrant[] {
  const only = SCOPES.filter((scope) => scopes.includes(scope))
  return grants.flatMap((grant) => {
    if (area === null || grant.area === area) return [{ ...grant, only }]
    return grant.area === null ? [{ ...grant, area, only }] : []
  })
}

export function openTokens({ registry, now }: Deps): FindToken {
  return async (text) => {
    if (!text.startsWith(PREFIX)) return undefined
    const at = now()
    const tokenHash = hashToken(text)
    const token = await registry.access.tokenByHash(tokenHash)
    if (!token || token.expiresAt <= at) return undefined
    const person = await registry.people.byId(token.personId)
    if (!person || person.disabledAt !== null) return undefined
    if (token.usedAt === null || at - token.usedAt >= NOTED_MS) await registry.access.noteTokenUse(token.id, at)
    return {
      // The trail says which token it was: no login holds a colon.
      person: { ...person, login: `${person.login}:${token.name}`, grants: narrowed(person.grants, token) },
      by: 'token',
      tokenHash,
      expiresAt: unixMs(token.expiresAt),
      secondFactor: false,
    }
  }
}
