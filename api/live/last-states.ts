import { Compile } from 'typebox/compile'
import { LiveState, type LiveValue, mergeLive } from '#contract/live.ts'
import { metricOf } from '#contract/metrics.ts'
import { liveTopic } from '#contract/topics.ts'

const liveState = Compile(LiveState)
// A gate with every metric of the catalogue and all 99 leaves stays far below.
const MOST_BYTES = 64 * 1024

export type Taken =
  | { readonly kind: 'changed'; readonly gate: string }
  /** Late or already known. */
  | { readonly kind: 'nothing new' }
  | { readonly kind: 'refused'; readonly reason: string }

/** The newest state of each gate. Its size is the number of gates, however many messages come. */
export class LastStates {
  readonly #byGate = new Map<string, LiveState>()

  get size(): number {
    return this.#byGate.size
  }

  get(gate: string): LiveState | undefined {
    return this.#byGate.get(gate)
  }

  all(): Iterable<LiveState> {
    return this.#byGate.values()
  }

  /** Takes one message of the live topics. */
  take(topic: string, payload: Uint8Array): Taken {
    if (payload.byteLength === 0) return this.#forget(topic)
    const state = parse(payload)
    if (!state) return { kind: 'refused', reason: 'not a live state' }
    // The broker's access rules know topics, not bodies: a body that tells of another gate is refused.
    if (topic !== liveTopic(state.area, state.gate)) return { kind: 'refused', reason: 'body and topic name different gates' }
    return this.#merge(state)
  }

  #merge(state: LiveState): Taken {
    const { gate, area, site, online } = state
    let known = this.#byGate.get(gate)
    const moved = !known || known.area !== area || known.site !== site || known.online !== online
    if (!known) {
      known = { gate, area, site, online, metrics: {} }
      this.#byGate.set(gate, known)
    }
    known.area = area
    known.site = site
    known.online = online
    const changed = mergeLive(known, news(known.metrics, state.metrics))
    return moved || changed.length > 0 ? { kind: 'changed', gate } : { kind: 'nothing new' }
  }

  /** An empty retained message takes a gate's state off the broker. */
  #forget(topic: string): Taken {
    for (const [gate, state] of this.#byGate) if (topic === liveTopic(state.area, gate)) this.#byGate.delete(gate)
    return { kind: 'nothing new' }
  }
}

function parse(payload: Uint8Array): LiveState | undefined {
  if (payload.byteLength > MOST_BYTES) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'))
    return liveState.Check(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** What is not there yet just so: the broker repeats its retained messages after each reconnection. Unknown metrics are left out. */
function news(known: Readonly<Record<string, LiveValue>>, incoming: Readonly<Record<string, LiveValue>>): Record<string, LiveValue> {
  const fresh: Record<string, LiveValue> = {}
  for (const [name, value] of Object.entries(incoming)) {
    if (!metricOf(name)) continue
    const old = known[name]
    if (!old || old.t !== value.t || old.v !== value.v || old.q !== value.q) fresh[name] = value
  }
  return fresh
}
