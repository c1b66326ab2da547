import type { Alarm } from '#contract/alarm.ts'
import { afterEvent, isSiteLost, withSuppression } from '#contract/alarm-past.ts'
import type { CommandView } from '#contract/http/command.ts'
import type { Past, PastOrder, PastTag } from '#contract/http/past.ts'
import type { LiveState, LiveValue } from '#contract/live.ts'
import type { OrderState } from '#contract/order.ts'

/** A command or an order that was under way. */
export type OpenThen =
  | {
      readonly kind: 'command'
      readonly id: string
      readonly gate: string
      readonly since: number
      readonly command: CommandView
      readonly state: CommandThen
    }
  | {
      readonly kind: 'order'
      readonly id: string
      readonly gate: string
      readonly since: number
      readonly order: PastOrder
      readonly state: OrderState
    }
export type CommandThen = 'selected' | 'awaiting' | 'sent' | 'moving'

/** What a screen shows of one past moment. */
export type PastFrame = {
  readonly at: number
  /** Of the gates that have changed since the last frame; null: nothing was known. */
  readonly states: ReadonlyMap<string, LiveState | null>
  readonly staleAfterMs: ReadonlyMap<string, number>
  readonly alarms: readonly Alarm[]
  readonly tags: readonly PastTag[]
  readonly open: readonly OpenThen[]
  readonly lostSites: ReadonlySet<string>
}

type Place = { readonly area: string; readonly site: string }
type Column = {
  readonly metric: string
  readonly t: readonly number[]
  readonly v: readonly (number | null)[]
  readonly q: readonly number[] | undefined
}
type GateColumns = {
  readonly gate: string
  readonly place: Place
  readonly columns: readonly Column[]
  shown: readonly number[] | null
  online: boolean
}

/** A stretch of the past that has been read, walked through frame by frame. Going on costs what has changed; going back begins anew. */
export class Stretch {
  readonly from: number
  readonly to: number
  readonly stepMs: number
  readonly #past: Past
  readonly #gates: readonly GateColumns[]
  readonly #staleAfterMs: ReadonlyMap<string, number>
  #alarms: Map<string, Alarm> = new Map()
  #told = 0
  #at = Number.NEGATIVE_INFINITY

  /** @param places every gate that is on the screen */
  constructor(past: Past, places: ReadonlyMap<string, Place>) {
    this.from = past.from
    this.to = past.to
    this.stepMs = past.step_ms
    this.#past = past
    this.#staleAfterMs = new Map(Object.entries(past.gates).map(([gate, g]) => [gate, g.stale_after_ms]))
    this.#gates = [...places].map(([gate, place]) => ({
      ...{ gate, place, shown: null, online: true },
      columns: Object.entries(past.gates[gate]?.metrics ?? {}).map(([metric, { t, v, q }]) => ({ metric, t, v, q })),
    }))
  }

  holds(t: number): boolean {
    return t >= this.from && t <= this.to
  }

  frameAt(t: number): PastFrame {
    if (t < this.#at || this.#at === Number.NEGATIVE_INFINITY) this.#begin()
    this.#at = t
    const { events } = this.#past
    for (let event = events[this.#told]; event && event.at <= t; event = events[++this.#told]) {
      const alarm = this.#alarms.get(event.alarm)
      if (alarm) this.#alarms.set(event.alarm, afterEvent(alarm, event))
    }
    const states = new Map<string, LiveState | null>()
    for (const gate of this.#gates) {
      const state = this.#stateAt(gate, t)
      if (state !== 'as before') states.set(gate.gate, state)
    }
    const sites = new Set(this.#gates.map((g) => g.place.site))
    return {
      ...{ at: t, states, staleAfterMs: this.#staleAfterMs, alarms: withSuppression(this.#alarms) },
      tags: this.#past.tags.filter((tag) => tag.at <= t && tag.until > t && (tag.lifted_at ?? Number.POSITIVE_INFINITY) > t),
      open: openAt(this.#past, t),
      lostSites: new Set([...sites].filter((site) => isSiteLost(this.#alarms, site))),
    }
  }

  /** The next frame tells every gate anew: the screen may have shown another stretch. */
  #begin(): void {
    this.#alarms = new Map(this.#past.alarms.map((a) => [a.id, a]))
    this.#told = 0
    for (const gate of this.#gates) gate.shown = null
  }

  #stateAt(gate: GateColumns, t: number): LiveState | null | 'as before' {
    const online = !isSiteLost(this.#alarms, gate.place.site)
    const shown = gate.columns.map((column, i) => placeOf(column.t, t, gate.shown?.[i] ?? -1))
    const isSame = gate.shown !== null && gate.online === online && shown.every((p, i) => p === gate.shown?.[i])
    if (isSame) return 'as before'
    gate.shown = shown
    gate.online = online
    const metrics: Record<string, LiveValue> = {}
    for (const [i, { metric, t: times, v, q }] of gate.columns.entries()) {
      const place = shown[i] ?? -1
      const time = times[place]
      if (time !== undefined) metrics[metric] = { t: time, rx: time, v: v[place] ?? null, q: q?.[place] ?? 0 }
    }
    if (Object.keys(metrics).length === 0 && online) return null
    return { gate: gate.gate, ...gate.place, online, metrics }
  }
}

/** The place of the newest time not after `t`, -1 where there is none; looked for from `start` on. */
function placeOf(times: readonly number[], t: number, start: number): number {
  let place = start
  while (place + 1 < times.length && (times[place + 1] ?? Number.POSITIVE_INFINITY) <= t) place++
  return place
}

const ENDED: readonly string[] = ['cancelled', 'done', 'refused', 'failed', 'expired']

/** What a command was at a moment, as its times tell; null before it and after its end. */
export function commandAt(command: CommandView, t: number): CommandThen | null {
  const { state, selected_at, confirmed_at, moving_at, updated_at, expires_at } = command
  if (t < selected_at || (ENDED.includes(state) && t >= updated_at)) return null
  if (moving_at !== null && t >= moving_at) return 'moving'
  if (confirmed_at !== null) return t >= confirmed_at ? 'sent' : command.needs_second ? 'awaiting' : 'selected'
  if (t >= expires_at) return null
  return state === 'awaiting' && t >= updated_at ? 'awaiting' : 'selected'
}

export function orderAt({ steps }: PastOrder, t: number): OrderState | null {
  const last = steps.filter((s) => s.at <= t).at(-1)?.state ?? null
  return last === 'closed' || last === 'cancelled' ? null : last
}

function openAt({ commands, orders }: Past, t: number): OpenThen[] {
  const open: OpenThen[] = []
  for (const command of commands) {
    const state = commandAt(command, t)
    if (state) open.push({ kind: 'command', id: command.id, gate: command.structure, since: command.selected_at, command, state })
  }
  for (const order of orders) {
    const state = orderAt(order, t)
    if (state) open.push({ kind: 'order', id: order.id, gate: order.structure, since: order.steps[0]?.at ?? t, order, state })
  }
  return open
}
