import { Fault } from '#contract/fault.ts'
import type { SessionView, TokenView } from '#contract/http/access.ts'
import type { ApiToken } from '#registry/access.ts'
import { type SignedIn, sessionId } from '../../../auth/sessions.ts'
import type { RouteContext } from '../../context.ts'

/** Sessions and tokens of a person, for the person and for an administrator alike. */
type Context = Pick<RouteContext, 'registry' | 'sessions' | 'now'>
type Ending = {
  readonly person: { readonly id: string; readonly login: string }
  readonly id: string
  readonly by: string
  readonly ip: string
}

export async function sessionsOf({ registry, now }: Context, personId: string, asking: SignedIn): Promise<SessionView[]> {
  const at = now()
  return (await registry.sessions.of(personId))
    .filter((s) => s.expiresAt > at)
    .map((s) => ({
      id: sessionId(s.tokenHash),
      current: s.tokenHash === asking.tokenHash,
      created_at: s.createdAt,
      expires_at: s.expiresAt,
      ip: s.ip,
      agent: s.agent,
      second_factor: s.secondFactor,
    }))
}

/** @throws Fault NOT_FOUND */
export async function endSession({ registry, sessions, now }: Context, { person, id, by, ip }: Ending): Promise<void> {
  const found = (await registry.sessions.of(person.id)).find((s) => sessionId(s.tokenHash) === id)
  if (!found) throw new Fault('NOT_FOUND', `${person.login} has no session ${id}`, 'it may have ended; look again')
  await sessions.end(found.tokenHash)
  await registry.audit.append({ at: now(), who: by, action: 'session.end', subject: person.login, details: { session: id, ip } })
}

export const tokenView = ({
  id,
  name,
  scopes,
  area,
  createdAt,
  expiresAt,
  usedAt,
}: Omit<ApiToken, 'tokenHash' | 'personId'>): TokenView => ({
  id,
  name,
  scopes: [...scopes],
  area,
  created_at: createdAt,
  expires_at: expiresAt,
  used_at: usedAt,
})

export const tokensOf = async ({ registry }: Context, personId: string): Promise<TokenView[]> =>
  (await registry.access.tokensOf(personId)).map(tokenView)

/** @throws Fault NOT_FOUND */
export async function removeToken({ registry, now }: Context, { person, id, by, ip }: Ending): Promise<void> {
  const gone = await registry.access.removeToken(id, person.id)
  if (!gone) throw new Fault('NOT_FOUND', `${person.login} has no token ${id}`, 'it may have been ended; look again')
  await registry.audit.append({ at: now(), who: by, action: 'token.remove', subject: `${person.login}:${gone.name}`, details: { ip } })
}
