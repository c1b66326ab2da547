import type { Structure } from '#contract/district.ts'
import { isNewer, type LiveState, mergeLive } from '#contract/live.ts'
import { drawable, qualityCode } from '#contract/reading.ts'
import type { Sample } from '#history/port.ts'

export type PublishLive = (state: LiveState) => void

/** The last state of each gate, published as soon as something of it changes, before history is asked. */
export class LiveStates {
  readonly #states = new Map<string, LiveState>()
  readonly #publish: PublishLive

  constructor(publish: PublishLive) {
    this.#publish = publish
  }

  /** Takes samples of one gate. Late ones change nothing. */
  take(gate: Structure, samples: readonly Sample[]): void {
    const state = this.#stateOf(gate)
    let changed = false
    for (const s of samples) {
      // A clock that is ahead must not make one value the newest for ever: what is shown is never newer than its arrival.
      const t = Math.min(s.t, s.received)
      if (!isNewer(state.metrics[s.metric], t)) continue
      state.metrics[s.metric] = { t, rx: s.received, v: drawable(s.reading), q: qualityCode(s.reading) }
      changed = true
    }
    if (!state.online) {
      state.online = true
      changed = true
    }
    if (changed) this.#publish(state)
  }

  /** Contact lost or regained for gates of a site. */
  setOnline(gates: Iterable<Structure>, online: boolean): void {
    for (const gate of gates) {
      const known = this.#states.get(gate.id)
      if (!known && !online) continue
      const state = known ?? this.#stateOf(gate)
      if (state.online === online && known) continue
      state.online = online
      this.#publish(state)
    }
  }

  /** What the broker had kept from before a restart; what has come since is newer. */
  restore(state: LiveState): void {
    const known = this.#states.get(state.gate)
    if (known) mergeLive(known, state.metrics)
    else this.#states.set(state.gate, state)
  }

  /** After a broker's restart its retained messages may be gone. */
  publishAll(): void {
    for (const state of this.#states.values()) this.#publish(state)
  }

  #stateOf(gate: Structure): LiveState {
    let state = this.#states.get(gate.id)
    if (!state || state.site !== gate.site || state.area !== gate.area) {
      state = { gate: gate.id, area: gate.area, site: gate.site, online: true, metrics: state?.metrics ?? {} }
      this.#states.set(gate.id, state)
    }
    return state
  }
}
