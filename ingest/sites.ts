import type { Site } from '#contract/district.ts'
import { noHealth, type SiteHealth, type SiteState } from '#contract/health.ts'

/** A site that is heard often is told of once in this time, in ms. */
const HEARD_EVERY_MS = 60_000
/** A change of the skew that is worth telling, in ms: more than a slow link's ordinary jitter. */
const SKEW_STEP_MS = 2000

/** The last state of each registered site: its agent's health, and whether it is there. */
export class SiteStates {
  readonly #states = new Map<string, SiteState>()
  readonly #publish: (state: SiteState) => void

  constructor(publish: (state: SiteState) => void) {
    this.#publish = publish
  }

  /** A message has come. `sent` is the time that it carries, by the sender's clock. Who is heard is online, whatever was missed. */
  heard(site: Site, message: { received: number; sent: number | undefined }): void {
    const { received, sent } = message
    const known = this.#states.get(site.id)
    const state = this.#stateOf(site, received)
    const skew = sent === undefined ? state.receive_skew_ms : received - sent
    const news =
      !known ||
      known !== state ||
      !state.online ||
      received - state.heard_at >= HEARD_EVERY_MS ||
      Math.abs((skew ?? 0) - (state.receive_skew_ms ?? Number.NEGATIVE_INFINITY)) >= SKEW_STEP_MS
    if (!news) return
    if (!state.online) Object.assign(state, { online: true, since: received })
    Object.assign(state, { heard_at: received, receive_skew_ms: skew })
    this.#publish(state)
  }

  setOnline(site: Site, online: boolean, at: number): void {
    if (!online && !this.#states.has(site.id)) return
    const state = this.#stateOf(site, at)
    if (state.online === online) return
    Object.assign(state, { online, since: at })
    this.#publish(state)
  }

  health(site: Site, news: Partial<SiteHealth>, at: number): void {
    if (Object.keys(news).length === 0) return
    const state = this.#stateOf(site, at)
    Object.assign(state.health, news)
    state.health_at = at
    this.#publish(state)
  }

  /** What the broker had kept from before a restart; what has come since is newer. */
  restore(state: SiteState): void {
    const known = this.#states.get(state.site)
    if (!known) {
      this.#states.set(state.site, state)
      return
    }
    const told = Object.fromEntries(Object.entries(known.health).filter(([, value]) => value !== null))
    Object.assign(known.health, state.health, told)
    known.health_at ??= state.health_at
    if (known.online === state.online) known.since = Math.min(known.since, state.since)
  }

  /** After a broker's restart its retained messages may be gone. */
  publishAll(): void {
    for (const state of this.#states.values()) this.#publish(state)
  }

  #stateOf({ id, area }: Site, at: number): SiteState {
    const known = this.#states.get(id)
    if (known && known.area === area) return known
    const state: SiteState = {
      site: id,
      area,
      online: true,
      since: at,
      heard_at: at,
      receive_skew_ms: null,
      health_at: null,
      health: known?.health ?? noHealth(),
    }
    this.#states.set(id, state)
    return state
  }
}
