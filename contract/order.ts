/** Dispatch orders (调度指令): what state follows on what, and when one is late. Pure; who may do what is the API's. */

export const ORDER_STATES = ['draft', 'reviewed', 'issued', 'received', 'executing', 'done', 'feedback', 'closed', 'cancelled'] as const
export type OrderState = (typeof ORDER_STATES)[number]

export const ORDER_DEEDS = ['review', 'issue', 'receive', 'begin', 'finish', 'report', 'close', 'cancel'] as const
export type OrderDeed = (typeof ORDER_DEEDS)[number]

type Deed = { readonly from: readonly OrderState[]; readonly to: OrderState; readonly note: 'required' | 'optional' }
const DEEDS: { readonly [K in OrderDeed]: Deed } = {
  review: { from: ['draft'], to: 'reviewed', note: 'optional' },
  issue: { from: ['reviewed'], to: 'issued', note: 'optional' },
  receive: { from: ['issued'], to: 'received', note: 'optional' },
  begin: { from: ['received'], to: 'executing', note: 'optional' },
  finish: { from: ['executing'], to: 'done', note: 'optional' },
  report: { from: ['done'], to: 'feedback', note: 'required' },
  close: { from: ['feedback'], to: 'closed', note: 'optional' },
  // What has been carried out is not undone by a stroke of the pen: it takes another order.
  cancel: { from: ['draft', 'reviewed', 'issued', 'received', 'executing'], to: 'cancelled', note: 'required' },
}

/** @returns the state after the deed, or null where it can't be done in this one. */
export const orderAfter = (state: OrderState, deed: OrderDeed): OrderState | null =>
  DEEDS[deed].from.includes(state) ? DEEDS[deed].to : null

export const deedsIn = (state: OrderState): OrderDeed[] => ORDER_DEEDS.filter((deed) => orderAfter(state, deed) !== null)
export const needsNote = (deed: OrderDeed): boolean => DEEDS[deed].note === 'required'

/** Not received after so long: telephone. */
export const UNANSWERED_MS = 15 * 60_000

export type OrderTiming = 'in_time' | 'unanswered' | 'overdue' | 'ended'
export type OrderTimes = {
  readonly state: OrderState
  /** When the order takes effect at the structure, ms since 1970 UTC. */
  readonly effectiveAt: number
  /** How long water takes from the structure to where the order counts, in ms. */
  readonly travelMs: number
  readonly issuedAt: number | null
}

/** Late is only what could have had its effect: the water needs its travel time. */
export function timingOf({ state, effectiveAt, travelMs, issuedAt }: OrderTimes, now: number): OrderTiming {
  switch (state) {
    case 'done':
    case 'feedback':
    case 'closed':
    case 'cancelled':
      return 'ended'
    case 'draft':
    case 'reviewed':
    case 'issued':
    case 'received':
    case 'executing':
      if (now > effectiveAt + travelMs) return 'overdue'
      return state === 'issued' && issuedAt !== null && now - issuedAt > UNANSWERED_MS ? 'unanswered' : 'in_time'
  }
}
