import { randomUUID } from 'node:crypto'
import { Fault } from '#contract/fault.ts'
import { NewOrder, OrderDetail, OrderList, type OrderReadings, OrderStepAsked, OrderView } from '#contract/http/order.ts'
import { PageQuery } from '#contract/http.ts'
import { may, reachOf } from '#contract/may.ts'
import { deedsIn, needsNote, orderAfter, timingOf } from '#contract/order.ts'
import type { OrderRow } from '#registry/control-port.ts'
import type { App } from '../../../app.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import { commandView } from '../../../control/view.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { gateOf, visibleStructure } from '../gates/gate-of.ts'
import { readingsOf } from './readings.ts'
import { refusalOf, requireDeed } from './rights.ts'

const MOST_COMMANDS = 50

/** /api/v1/orders: dispatch orders (调度指令) */
export function orderRoutes(app: App, { registry, district, states, sites, now }: RouteContext): void {
  const tags = ['control']

  /** @throws Fault NOT_FOUND, also for what this person may not see */
  async function orderFor({ person }: SignedIn, id: string): Promise<OrderRow> {
    const order = await registry.orders.order(id)
    if (order && may(person.grants, 'read', order.area)) return order
    throw new Fault('NOT_FOUND', 'there is no such order', 'GET /api/v1/orders lists them')
  }

  async function readingsNow(id: string): Promise<OrderReadings | null> {
    const read = await district.read()
    const structure = read.structureById.get(id)
    return structure ? readingsOf(gateOf(structure, read, { states, sites }), now()) : null
  }

  app.get(
    '/orders',
    { schema: { tags, summary: 'Dispatch orders, newest first', querystring: PageQuery, response: { 200: OrderList, ...PROBLEMS } } },
    async (request) => {
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      const { limit, offset } = request.query
      const { items, total } = await registry.orders.list({ areas: reach === 'district' ? null : [...reach] }, { limit, offset })
      const at = now()
      return { items: items.map((o) => orderView(o, at)), total, limit, offset }
    },
  )

  app.get(
    '/orders/:id',
    {
      schema: { tags, summary: 'One order, with what was commanded for it', params: IdParams, response: { 200: OrderDetail, ...PROBLEMS } },
    },
    async (request) => {
      const signedIn = signedInOf(request)
      const order = await orderFor(signedIn, request.params.id)
      const { items } = await registry.control.commands({ order: order.id }, { limit: MOST_COMMANDS, offset: 0 })
      return {
        order: orderView(order, now()),
        may: deedsIn(order.state).filter((deed) => refusalOf(signedIn, order, deed) === null),
        commands: items.map(commandView),
      }
    },
  )

  app.post(
    '/orders',
    {
      schema: {
        tags,
        summary: 'Draft an order; it takes the year’s next number',
        body: NewOrder,
        response: { 201: OrderView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const structure = visibleStructure(await district.read(), signedIn, request.body.structure)
      if (!may(signedIn.person.grants, 'plan', structure.area))
        throw new Fault(
          'NOT_ALLOWED',
          `${signedIn.person.login} writes no orders for area ${structure.area}`,
          'ask a dispatcher of this area',
        )
      const { target, reason, effective_at, travel_min } = request.body
      const at = now()
      const { login, name } = signedIn.person
      const order = await registry.orders.add(
        {
          id: randomUUID(),
          year: yearOf(at),
          area: structure.area,
          structure: structure.id,
          state: 'draft',
          target,
          reason: reason.trim(),
          effectiveAt: effective_at,
          travelMs: travel_min * 60_000,
          steps: [{ state: 'draft', at, by: login, byName: name, note: '', readings: await readingsNow(structure.id) }],
          createdAt: at,
        },
        (row) => ({ at, who: login, action: 'order.draft', subject: numberOf(row), details: { ...request.body } }),
      )
      return reply.code(201).send(orderView(order, at))
    },
  )

  app.post(
    '/orders/:id/steps',
    {
      schema: {
        tags,
        summary: 'Review, issue, receive, begin, finish, report on, close or cancel an order',
        params: IdParams,
        body: OrderStepAsked,
        response: { 200: OrderView, ...PROBLEMS },
      },
    },
    async (request) => {
      const signedIn = signedInOf(request)
      const { login, name } = signedIn.person
      const { deed } = request.body
      const note = request.body.note.trim()
      const order = await orderFor(signedIn, request.params.id)
      const state = orderAfter(order.state, deed)
      if (!state) throw new Fault('CONFLICT', `${deed} does not follow on ${order.state}`, 'look at the order again')
      requireDeed(signedIn, order, deed)
      if (needsNote(deed) && note === '') throw new Fault('BAD_REQUEST', `${deed} needs a note`, 'write what happened, or why')
      const at = now()
      const readings = await readingsNow(order.structure)
      const step = { state, at, by: login, byName: name, note, readings }
      const after = await registry.orders.step(order.id, { from: order.state, step }, (row) => ({
        at,
        who: login,
        action: `order.${deed}`,
        subject: numberOf(row),
        details: { structure: row.structure, note, readings },
      }))
      if (!after) throw new Fault('CONFLICT', 'somebody else was quicker', 'look at the order again')
      return orderView(after, at)
    },
  )
}

/** Orders are numbered through the year of Beijing, which is 8 h ahead of UTC all year. */
const yearOf = (at: number): number => new Date(at + 8 * 3_600_000).getUTCFullYear()
const numberOf = ({ year, number }: OrderRow): string => `${year}-${number}`

function orderView(order: OrderRow, at: number): OrderView {
  const issuedAt = order.steps.find((s) => s.state === 'issued')?.at ?? null
  return {
    id: order.id,
    year: order.year,
    number: order.number,
    area: order.area,
    structure: order.structure,
    state: order.state,
    timing: timingOf({ ...order, issuedAt }, at),
    target: order.target,
    reason: order.reason,
    effective_at: order.effectiveAt,
    travel_ms: order.travelMs,
    steps: order.steps.map(({ byName, ...step }) => ({ ...step, by_name: byName })),
  }
}
