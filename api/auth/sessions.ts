import { createHash, randomBytes } from 'node:crypto'
import type { HeldGrant } from '#contract/may.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Person, Registry, Session } from '#registry/port.ts'

/** Who is behind a request: a person's session, or a token that acts in the person's name. */
export type SignedIn = {
  readonly person: Omit<Person, 'grants'> & { readonly grants: readonly HeldGrant[] }
  readonly by: 'session' | 'token'
  readonly tokenHash: string
  readonly expiresAt: UnixMs
  /** A code of the second factor was given in this session. */
  readonly secondFactor: boolean
}

/** Where a session is begun from, and how. */
export type Beginning = Pick<Session, 'ip' | 'agent' | 'secondFactor'>

type Deps = { readonly registry: Pick<Registry, 'sessions' | 'people'>; readonly now: () => UnixMs; readonly ttlMs: number }

// So long may another API node's sign-out go unseen; one page load asks several times within it.
const FRESH_MS = 3000
const MOST_CACHED = 10_000
const ID_LENGTH = 16

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** What a session is called where it is listed. Of the hash, so nobody signs in with it. */
export const sessionId = (tokenHash: string): string => tokenHash.slice(0, ID_LENGTH)

/** Sessions: the browser holds a random token, the registry its SHA-256 only, so that who reads the registry can't sign in with it. */
export class Sessions {
  readonly #deps: Deps
  readonly #cache = new Map<string, { readonly signedIn: SignedIn; readonly readAt: number }>()
  #changes = 0
  readonly #onEnd = new Set<(tokenHash: string) => void>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** @returns the token for the cookie; it is nowhere else. */
  async start(person: Person, beginning: Beginning): Promise<{ token: string; signedIn: SignedIn }> {
    const { registry, now, ttlMs } = this.#deps
    const token = randomBytes(32).toString('base64url')
    const createdAt = now()
    const expiresAt = unixMs(createdAt + ttlMs)
    const tokenHash = hashToken(token)
    await registry.sessions.removeExpired(createdAt)
    await registry.sessions.add({ tokenHash, personId: person.id, createdAt, expiresAt, ...beginning })
    return { token, signedIn: { person, by: 'session', tokenHash, expiresAt, secondFactor: beginning.secondFactor } }
  }

  /** @returns who holds this token, or undefined when it is unknown, ended or expired. @throws Fault REGISTRY_UNREACHABLE */
  async find(token: string): Promise<SignedIn | undefined> {
    return await this.byHash(hashToken(token))
  }

  async byHash(tokenHash: string): Promise<SignedIn | undefined> {
    const { registry, now } = this.#deps
    const at = now()
    const cached = this.#cache.get(tokenHash)
    if (cached && at - cached.readAt < FRESH_MS) return cached.signedIn.expiresAt > at ? cached.signedIn : undefined
    this.#cache.delete(tokenHash)
    const changes = this.#changes
    const session = await registry.sessions.byTokenHash(tokenHash)
    if (!session || session.expiresAt <= at) return undefined
    const person = await registry.people.byId(session.personId)
    if (!person || person.disabledAt !== null) return undefined
    const signedIn: SignedIn = { person, by: 'session', tokenHash, expiresAt: session.expiresAt, secondFactor: session.secondFactor }
    if (this.#cache.size >= MOST_CACHED) this.#cache.clear()
    // Not what was read while somebody signed out or was changed: it may be that session.
    if (changes === this.#changes) this.#cache.set(tokenHash, { signedIn, readAt: at })
    return signedIn
  }

  /** A code was given in this session. */
  async noteSecondFactor(tokenHash: string): Promise<void> {
    await this.#deps.registry.sessions.noteSecondFactor(tokenHash)
    this.#forget(tokenHash)
  }

  async end(tokenHash: string): Promise<void> {
    await this.#deps.registry.sessions.remove(tokenHash)
    this.#forget(tokenHash)
    for (const listener of this.#onEnd) listener(tokenHash)
  }

  /** Ends all sessions of a person but this one. @returns how many were ended. */
  async endAllOf(personId: string, options: { readonly but?: string } = {}): Promise<number> {
    const ended = (await this.#deps.registry.sessions.of(personId)).filter((s) => s.tokenHash !== options.but)
    for (const { tokenHash } of ended) await this.end(tokenHash)
    return ended.length
  }

  /** The person was changed: what is known here of every session is read again. */
  personChanged(): void {
    this.#changes++
    this.#cache.clear()
  }

  /** Calls `listener` for each session that is ended at this node. */
  onEnd(listener: (tokenHash: string) => void): void {
    this.#onEnd.add(listener)
  }

  #forget(tokenHash: string): void {
    this.#changes++
    this.#cache.delete(tokenHash)
  }
}
