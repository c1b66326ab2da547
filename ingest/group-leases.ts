import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import type { Leases } from '#registry/leases.ts'
import type { IngestSettings } from './settings.ts'

export type GroupLeaseDeps = {
  readonly leases: Leases
  readonly settings: Pick<IngestSettings, 'groups' | 'worker' | 'lease_ms'>
  readonly log: Logger
  /** Of a clock that is never set, ms. */
  readonly now: () => number
  /** This worker has the group, or with null what belongs to none, for itself from now on. Where it throws, it is given back and tried again. */
  readonly taken: (group: string | null) => Promise<void>
  /** Another worker has, or may have it. */
  readonly lost: (group: string | null) => Promise<void>
}

/** What belongs to no group, the alarm of the broker, is told by one of the workers. No group has this name. */
const CENTER = '*'
const LOOKS_A_LEASE = 3

/**
 * Which groups this worker has. Each is a lease in the registry that is prolonged while the worker lives, so that another takes it over when it ends.
 * While the registry is away nobody can take a group, and whoever has one goes on: the control room must not go blind with it.
 */
export class GroupLeases {
  readonly #deps: GroupLeaseDeps
  /** The term of each lease that is held. */
  readonly #held = new Map<string, number>()
  readonly #stop = new AbortController()
  #beatAt: number
  #isUnsure = false
  #isRegistryAway = false
  #running: Promise<void> | undefined

  constructor(deps: GroupLeaseDeps) {
    this.#deps = deps
    this.#beatAt = deps.now()
  }

  /** Looks for groups from now on; resolves after the first look. */
  async start(): Promise<void> {
    await this.#look()
    this.#running = this.#lookAgain()
  }

  /** Whether messages of its groups are this worker's now: not after it has stood still for so long that another may have them. */
  get isSure(): boolean {
    return !this.#isUnsure && this.#deps.now() - this.#beatAt <= this.#deps.settings.lease_ms
  }

  /** Whether what belongs to this area, or with null to none, is this worker's to tell. */
  holds(area: string | null): boolean {
    return area === null ? this.#held.has(CENTER) : this.#held.has('+') || this.#held.has(area)
  }

  /** Takes and prolongs nothing more. */
  async rest(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** Gives all back. The caller has ended its work on them. */
  async close(): Promise<void> {
    await this.rest()
    const { leases, settings, log } = this.#deps
    for (const name of this.#held.keys())
      await leases
        .giveBack(leaseOf(name), settings.worker)
        .catch((error: unknown) => log.warn({ group: name, error: messageOf(error) }, 'a group was not given back; its lease runs out'))
    this.#held.clear()
  }

  async #lookAgain(): Promise<void> {
    const everyMs = this.#deps.settings.lease_ms / LOOKS_A_LEASE
    let looking: Promise<void> | undefined
    while (!this.#stop.signal.aborted) {
      await sleep(everyMs, undefined, { signal: this.#stop.signal }).catch(ignoreAbort)
      if (this.#stop.signal.aborted) break
      this.#beat()
      // A registry that does not answer must not stop the beat.
      looking ??= this.#look().finally(() => {
        looking = undefined
      })
    }
    await looking
  }

  #beat(): void {
    const now = this.#deps.now()
    if (now - this.#beatAt > this.#deps.settings.lease_ms) this.#isUnsure = true
    this.#beatAt = now
  }

  async #look(): Promise<void> {
    for (const group of this.#deps.settings.groups) await this.#lookAt(group)
    if ([...this.#held.keys()].some((name) => name !== CENTER)) await this.#lookAt(CENTER)
    this.#isUnsure = false
  }

  async #lookAt(name: string): Promise<void> {
    const { leases, settings, log } = this.#deps
    const had = this.#held.get(name)
    let term: number | undefined
    try {
      term = await leases.take(leaseOf(name), settings.worker, settings.lease_ms)
    } catch (error) {
      if (!this.#isRegistryAway)
        log.warn({ error: messageOf(error) }, 'the registry does not answer; this worker goes on with the groups that it has')
      this.#isRegistryAway = true
      return
    }
    this.#isRegistryAway = false
    if (term === had) return
    // Another worker had it in between, if only for a moment: what is known here of the group is old.
    if (had !== undefined) await this.#lose(name)
    if (term !== undefined) await this.#take(name, term)
  }

  async #lose(group: string): Promise<void> {
    this.#held.delete(group)
    this.#deps.log.warn({ group }, 'another worker has this group now')
    await this.#deps.lost(groupOf(group))
  }

  async #take(group: string, term: number): Promise<void> {
    const { leases, settings, log } = this.#deps
    this.#held.set(group, term)
    try {
      await this.#deps.taken(groupOf(group))
      log.info({ group, term }, 'this worker takes the group')
    } catch (error) {
      log.warn({ group, error: messageOf(error) }, 'the group was not taken; tried again')
      this.#held.delete(group)
      await this.#deps.lost(groupOf(group))
      await leases.giveBack(leaseOf(group), settings.worker).catch(() => log.debug({ group }, 'its lease runs out'))
    }
  }
}

const groupOf = (name: string): string | null => (name === CENTER ? null : name)
const leaseOf = (group: string): string => `ingest:${group}`

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}
