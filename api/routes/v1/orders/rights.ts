import { Fault } from '#contract/fault.ts'
import { type Action, may } from '#contract/may.ts'
import type { OrderDeed } from '#contract/order.ts'
import type { OrderRow } from '#registry/control-port.ts'
import type { SignedIn } from '../../../auth/sessions.ts'

const RIGHTS: { readonly [K in OrderDeed]: Action } = {
  review: 'supervise',
  issue: 'plan',
  receive: 'carry_out_orders',
  begin: 'carry_out_orders',
  finish: 'carry_out_orders',
  report: 'carry_out_orders',
  close: 'supervise',
  cancel: 'supervise',
}

/** @throws Fault NOT_ALLOWED */
export function requireDeed(signedIn: SignedIn, order: OrderRow, deed: OrderDeed): void {
  const refused = refusalOf(signedIn, order, deed)
  if (refused) throw refused
}

export function refusalOf({ person }: SignedIn, order: OrderRow, deed: OrderDeed): Fault | null {
  const isAuthor = order.steps[0]?.by === person.login
  if (deed === 'review' && isAuthor)
    return new Fault('NOT_ALLOWED', 'who wrote an order does not review it', 'let another person review it')
  if (may(person.grants, RIGHTS[deed], order.area)) return null
  // A draft of one's own is thrown away by whoever wrote it.
  if (deed === 'cancel' && isAuthor && order.state === 'draft' && may(person.grants, 'plan', order.area)) return null
  return new Fault('NOT_ALLOWED', `${person.login} may not ${deed} orders of area ${order.area}`, 'ask whoever has the duty there')
}
