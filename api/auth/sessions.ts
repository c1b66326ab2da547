import { createHash, randomBytes } from 'node:crypto'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Person, Registry } from '#registry/port.ts'

/** Who is behind a session. */
export type SignedIn = { readonly person: Person; readonly tokenHash: string; readonly expiresAt: UnixMs }

type Deps = { readonly registry: Pick<Registry, 'sessions' | 'people'>; readonly now: () => UnixMs; readonly ttlMs: number }

// So long may another API node's sign-out go unseen; one page load asks several times within it.
const FRESH_MS = 3000
const MOST_CACHED = 10_000

const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Sessions: the browser holds a random token, the registry its SHA-256 only, so that who reads the registry can't sign in with it. */
export class Sessions {
  readonly #deps: Deps
  readonly #cache = new Map<string, { readonly signedIn: SignedIn; readonly readAt: number }>()
  #endings = 0
  readonly #onEnd = new Set<(tokenHash: string) => void>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** @returns the token for the cookie; it is nowhere else. */
  async start(person: Person): Promise<{ token: string; signedIn: SignedIn }> {
    const { registry, now, ttlMs } = this.#deps
    const token = randomBytes(32).toString('base64url')
    const createdAt = now()
    const expiresAt = unixMs(createdAt + ttlMs)
    const tokenHash = hashToken(token)
    await registry.sessions.removeExpired(createdAt)
    await registry.sessions.add({ tokenHash, personId: person.id, createdAt, expiresAt })
    return { token, signedIn: { person, tokenHash, expiresAt } }
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
    const endings = this.#endings
    const session = await registry.sessions.byTokenHash(tokenHash)
    if (!session || session.expiresAt <= at) return undefined
    const person = await registry.people.byId(session.personId)
    if (!person) return undefined
    const signedIn: SignedIn = { person, tokenHash, expiresAt: session.expiresAt }
    if (this.#cache.size >= MOST_CACHED) this.#cache.clear()
    // Not what was read while somebody signed out: it may be that session.
    if (endings === this.#endings) this.#cache.set(tokenHash, { signedIn, readAt: at })
    return signedIn
  }

  async end(tokenHash: string): Promise<void> {
    await this.#deps.registry.sessions.remove(tokenHash)
    this.#endings++
    this.#cache.delete(tokenHash)
    for (const listener of this.#onEnd) listener(tokenHash)
  }

  /** Calls `listener` for each session that is signed out at this node. */
  onEnd(listener: (tokenHash: string) => void): void {
    this.#onEnd.add(listener)
  }
}
