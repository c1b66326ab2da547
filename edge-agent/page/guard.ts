import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { verify } from '@node-rs/argon2'

/** Who may use the page: a password, a cookie, and no foreign site's requests. */

const COOKIE = 'sluice_edge'
const SESSION_MS = 12 * 3_600_000
/** Each failure makes everybody wait longer: there is one password, and one gatehouse. */
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 60_000
const MOST_SESSIONS = 20

export class Guard {
  readonly #hash: string | undefined
  readonly #now: () => number
  readonly #sessions = new Map<string, number>()
  #failures = 0
  #closedUntil = 0

  constructor(hash: string | undefined, now: () => number) {
    this.#hash = hash
    this.#now = now
  }

  get asksPassword(): boolean {
    return this.#hash !== undefined
  }

  isIn(request: IncomingMessage): boolean {
    if (this.#hash === undefined) return true
    const token = new RegExp(`(?:^|; )${COOKIE}=([A-Za-z0-9_-]{43})`).exec(request.headers.cookie ?? '')?.[1]
    const until = token === undefined ? undefined : this.#sessions.get(token)
    return until !== undefined && until > this.#now()
  }

  /** @returns the cookie to set, or how long to wait, in ms. */
  async signIn(password: string): Promise<{ cookie: string } | { wait_ms: number }> {
    if (this.#hash === undefined) return { wait_ms: 0 }
    const now = this.#now()
    if (now < this.#closedUntil) return { wait_ms: this.#closedUntil - now }
    // Closed before it is checked, so that many at once are no more than one.
    const wait_ms = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures)
    this.#closedUntil = now + wait_ms
    if (!(await verify(this.#hash, password))) {
      this.#failures += 1
      return { wait_ms }
    }
    this.#failures = 0
    this.#closedUntil = 0
    const token = randomBytes(32).toString('base64url')
    for (const oldest of [...this.#sessions.keys()].slice(0, Math.max(0, this.#sessions.size - MOST_SESSIONS + 1)))
      this.#sessions.delete(oldest)
    this.#sessions.set(token, now + SESSION_MS)
    return { cookie: `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${SESSION_MS / 1000}` }
  }
}

/**
 * A page of somebody else's, open in the same browser, may reach this address: its requests are known by their origin. And a name of somebody
 * else's that leads here (DNS rebinding) is known by the host that is asked for: numbers and localhost are nobody's.
 */
export function isForeign(request: IncomingMessage): boolean {
  const { host = '', origin } = request.headers
  const name = host.replace(/:\d+$/, '')
  if (!/^(\[[0-9a-f:]+\]|[\d.]+|localhost)$/i.test(name)) return true
  return origin !== undefined && origin !== `http://${host}`
}
