import { defineStore } from 'pinia'
import { computed, markRaw, ref, type ShallowRef, shallowRef } from 'vue'
import type { Area, Canal } from '#contract/district.ts'
import type { Gate, StateMessage } from '#contract/http.ts'
import type { LiveState } from '#contract/live.ts'
import { unixMs } from '#contract/units.ts'
import { useClient } from '../http/provided.ts'
import { type Condition, countConditions, judgeGate, sameVerdict, type Verdict } from '../situation/condition.ts'
import { comparePlaces, placeOf } from '../situation/place.ts'
import { type ClockOffsets, offsetMs, withMessage } from './clock.ts'
import { type Link, noticeOf } from './link.ts'

/** One gate on the screen. Its two signals change by themselves, so that a value of one gate redraws nothing of the others. */
export type GateSignal = {
  readonly gate: Omit<Gate, 'state'>
  readonly state: ShallowRef<LiveState | null>
  readonly verdict: ShallowRef<Verdict>
}
/** What is shown of a past moment. A gate that is not in `states` is as it was in the frame before; null: nothing was known of it. */
export type GatesThen = {
  readonly at: number
  readonly states: ReadonlyMap<string, LiveState | null>
  readonly staleAfterMs: ReadonlyMap<string, number>
}
export type Loading = { readonly at: 'loading' } | { readonly at: 'ready' } | { readonly at: 'failed'; readonly detail: string }

const TICK_MS = 1000
const RELOAD_MS = 5000

/** The last state of every gate that the person may see. */
export const useGates = defineStore('gates', () => {
  const client = useClient()
  const loading = shallowRef<Loading>({ at: 'loading' })
  const areas = shallowRef<readonly Area[]>([])
  const canals = shallowRef<ReadonlyMap<string, Canal>>(new Map())
  const signals = shallowRef<readonly GateSignal[]>([])
  const link = shallowRef<Link>({ at: 'connecting', since: Date.now() })
  /** The server's clock, ms since 1970 UTC; moves on once a second. */
  const now = ref(unixMs(Date.now()))
  /**
   * The moment by which values are judged fresh or stale. It stands still while the link is lost: then the link is what is wrong, and
   * a screen on which every gate turns stale would only hide what had been wrong before.
   */
  const judgedAt = ref(now.value)
  /** Counts up when any gate's condition has changed: orders follow it, not every value. */
  const changes = ref(0)
  /** Counts up with each message that brought values: for drawings that show many gates at once. */
  const news = ref(0)
  const counts = shallowRef(countConditions([]))
  /** The past is shown: what comes live is left out, and every time on the screen is of then. */
  const isPast = ref(false)
  /** The shortest time in which some gate with values must have said something. */
  const quietMs = ref<number>()

  let byId = new Map<string, GateSignal>()
  /** What came live of gates that are not listed yet: between the answer with the list and its reading anything may come, and comes once. */
  const early = new Map<string, LiveState>()
  let offsets: ClockOffsets = []
  let reloadedAt = 0
  let turned = false

  const serverNow = () => unixMs(Date.now() + offsetMs(offsets))

  function judge(signal: GateSignal): void {
    const verdict = judgeGate(signal.state.value, { now: judgedAt.value, staleAfterMs: signal.gate.stale_after_ms })
    const old = signal.verdict.value
    if (sameVerdict(old, verdict)) return
    signal.verdict.value = verdict
    if (old.condition !== verdict.condition) turned = true
  }

  /** Once after many gates were judged. */
  function settle(): void {
    if (!turned) return
    turned = false
    changes.value++
    const conditions: Condition[] = []
    let quiet: number | undefined
    for (const { gate, verdict } of signals.value) {
      conditions.push(verdict.value.condition)
      if (verdict.value.newest !== null) quiet = Math.min(quiet ?? gate.stale_after_ms, gate.stale_after_ms)
    }
    counts.value = countConditions(conditions)
    quietMs.value = quiet
  }

  function signalOf({ state, ...gate }: Gate): GateSignal {
    const verdict = judgeGate(state, { now: judgedAt.value, staleAfterMs: gate.stale_after_ms })
    return markRaw({ gate, state: shallowRef(state), verdict: shallowRef(verdict) })
  }

  async function load(): Promise<void> {
    reloadedAt = Date.now()
    try {
      const [foundAreas, foundCanals, foundGates] = await Promise.all([client.areas(), client.canals(), client.gates()])
      areas.value = foundAreas.sort((a, b) => a.order - b.order)
      canals.value = new Map(foundCanals.map((c) => [c.id, c]))
      signals.value = inPlace(foundGates, canals.value).map((gate) => {
        if (isPast.value) return signalOf({ ...gate, state: null })
        const known = byId.get(gate.id)?.state.value ?? early.get(gate.id)
        // What came live meanwhile is newer than the list.
        return signalOf(known ? { ...gate, state: known } : gate)
      })
      early.clear()
      byId = new Map(signals.value.map((s) => [s.gate.id, s]))
      loading.value = { at: 'ready' }
      turned = true
      settle()
    } catch (error) {
      // A list that was read once stays on the screen: the link's banner tells that it is not live.
      if (loading.value.at !== 'ready') loading.value = { at: 'failed', detail: error instanceof Error ? error.message : String(error) }
    }
  }

  function take(message: StateMessage): void {
    offsets = withMessage(offsets, { at: message.at, received: Date.now() })
    if (isPast.value) return
    now.value = serverNow()
    judgedAt.value = now.value
    const absent = message.full ? new Set(byId.keys()) : new Set<string>()
    let unknown = false
    if (message.full) early.clear()
    for (const state of message.gates) {
      const signal = byId.get(state.gate)
      absent.delete(state.gate)
      if (!signal) {
        early.set(state.gate, state)
        unknown = true
        continue
      }
      signal.state.value = markRaw(state)
      judge(signal)
    }
    news.value++
    for (const id of absent) {
      const signal = byId.get(id)
      if (!signal) continue
      signal.state.value = null
      judge(signal)
    }
    settle()
    // A gate was added while the page is open.
    if (unknown && loading.value.at === 'ready' && Date.now() - reloadedAt > RELOAD_MS) void load()
  }

  function tick(): void {
    if (isPast.value) return
    now.value = serverNow()
    if (link.value.at === 'lost') return
    judgedAt.value = now.value
    for (const signal of signals.value) judge(signal)
    settle()
  }

  /** Nothing of the present is left on the screen, before anything of the past is. */
  function beginPast(at: number): void {
    now.value = unixMs(at)
    judgedAt.value = now.value
    if (isPast.value) return
    isPast.value = true
    early.clear()
    for (const signal of signals.value) {
      signal.state.value = null
      judge(signal)
    }
    news.value++
    settle()
  }

  function showPast({ at, states, staleAfterMs }: GatesThen): void {
    now.value = unixMs(at)
    judgedAt.value = now.value
    const listed = signals.value.map((signal) => {
      const limit = staleAfterMs.get(signal.gate.id) ?? signal.gate.stale_after_ms
      if (limit === signal.gate.stale_after_ms) return signal
      return markRaw({ ...signal, gate: { ...signal.gate, stale_after_ms: limit } })
    })
    if (listed.some((signal, i) => signal !== signals.value[i])) {
      signals.value = listed
      byId = new Map(listed.map((s) => [s.gate.id, s]))
    }
    for (const signal of signals.value) {
      const state = states.get(signal.gate.id)
      if (state !== undefined) signal.state.value = state && markRaw(state)
      judge(signal)
    }
    news.value++
    settle()
  }

  /** Back to the present: all of it is read anew. */
  function endPast(): void {
    isPast.value = false
    now.value = serverNow()
    judgedAt.value = now.value
    for (const signal of signals.value) {
      signal.state.value = null
      judge(signal)
    }
    settle()
    void load()
  }

  /** The link's times are this computer's, so its age is too. */
  const notice = computed(() => {
    void now.value
    // While the past is shown no gate is watched, and none says anything.
    return noticeOf(link.value, { now: Date.now(), quietMs: isPast.value ? undefined : quietMs.value })
  })

  return {
    loading,
    areas,
    canals,
    signals,
    link,
    now,
    judgedAt,
    changes,
    news,
    counts,
    notice,
    isPast,
    beginPast,
    showPast,
    endPast,
    serverNow,
    load,
    take,
    serverTimeOf: (localMs: number): number => localMs + offsetMs(offsets),
    setLink(next: Link): void {
      link.value = next
    },
    /** Moves the clock once a second until the returned function is called. */
    startClock(): () => void {
      const timer = setInterval(tick, TICK_MS)
      return () => clearInterval(timer)
    },
    /** What one person saw is not for the next one. */
    clear(): void {
      byId = new Map()
      early.clear()
      isPast.value = false
      signals.value = []
      loading.value = { at: 'loading' }
      link.value = { at: 'connecting', since: Date.now() }
    },
  }
})

function inPlace(gates: readonly Gate[], canals: ReadonlyMap<string, Canal>): Gate[] {
  const placed = gates.map((gate) => ({ gate, place: placeOf(gate, canals) }))
  return placed.sort((a, b) => comparePlaces(a.place, b.place) || (a.gate.id < b.gate.id ? -1 : 1)).map(({ gate }) => gate)
}
