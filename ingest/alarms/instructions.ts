import type { Canal, Structure } from '#contract/district.ts'
import { grouped } from '#contract/grouped.ts'
import type { CommandRow, OrderRow } from '#registry/control-port.ts'
import type { Registry } from '#registry/port.ts'

const HOUR_MS = 3_600_000
/** Clocks differ, and a leaf swings out after its command has ended. */
const CLOCK_MS = 5000
const AFTER_COMMAND_MS = 120_000
/** Who moves a gate by hand for an order reports it some minutes later. */
const AFTER_ORDER_MS = 600_000
const ORDERS_READ = 500

type Command = Pick<CommandRow, 'structure' | 'state' | 'confirmedAt' | 'updatedAt'>
type Order = Pick<OrderRow, 'structure' | 'state' | 'target' | 'effectiveAt' | 'updatedAt' | 'createdAt'>
/** What people have asked lately: of all gates with the canals that they stand in, and of one gate. */
export type Surroundings = { readonly commands: readonly Command[]; readonly orders: readonly Order[]; readonly canals: readonly Canal[] }
export type Asked = Omit<Surroundings, 'canals'>
const NOTHING: Asked = { commands: [], orders: [] }

/** @returns what has been asked of each gate: it is looked up for each opening that comes. */
export function askedByGate({ commands, orders }: Asked): (structure: string) => Asked {
  const commandsOf = grouped(commands, (c) => c.structure)
  const ordersOf = grouped(orders, (o) => o.structure)
  const asked = new Map(
    [...commandsOf.keys(), ...ordersOf.keys()].map((id) => [id, { commands: commandsOf.get(id) ?? [], orders: ordersOf.get(id) ?? [] }]),
  )
  return (structure) => asked.get(structure) ?? NOTHING
}

/** @throws Fault REGISTRY_UNREACHABLE */
export async function readSurroundings({ control, orders, district }: Registry, now: number): Promise<Surroundings> {
  const [commands, listed, canals] = await Promise.all([
    control.lately(now - HOUR_MS),
    orders.list({ areas: null }, { limit: ORDERS_READ, offset: 0 }),
    district.canals(),
  ])
  return { commands, orders: listed.items, canals }
}

const ENDED: readonly string[] = ['done', 'refused', 'failed', 'expired', 'cancelled']
const BY_HAND: readonly string[] = ['received', 'executing']
const CARRIED_OUT: readonly string[] = ['done', 'feedback', 'closed']
/** The gate has been set for the order, which holds until it is closed or another takes its place. */
const IN_FORCE: readonly string[] = ['executing', 'done', 'feedback']

/** Has anybody asked for the gate to move at `t`? */
export function isAskedFor({ commands, orders }: Asked, t: number): boolean {
  const commanded = commands.some(
    (c) => c.confirmedAt !== null && c.confirmedAt - CLOCK_MS <= t && (!ENDED.includes(c.state) || c.updatedAt + AFTER_COMMAND_MS >= t),
  )
  return commanded || orders.some((o) => BY_HAND.includes(o.state) || (CARRIED_OUT.includes(o.state) && o.updatedAt + AFTER_ORDER_MS >= t))
}

/** The order that a gate should follow at `t`: the latest that has taken effect, while it is in force. */
export function orderInForce({ orders }: Asked, t: number): Order | undefined {
  if (orders.length === 0) return undefined
  const latest = orders
    .filter((o) => o.effectiveAt <= t && (IN_FORCE.includes(o.state) || o.state === 'closed'))
    .toSorted((a, b) => b.effectiveAt - a.effectiveAt || b.createdAt - a.createdAt)[0]
  return latest && IN_FORCE.includes(latest.state) ? latest : undefined
}

export type Known = { readonly flow: number | undefined; readonly levelUp: number | undefined; readonly openings: readonly number[] }
type Built = Pick<Structure, 'design_flow_m3s' | 'leaf_height_m' | 'design_level_up_m' | 'sill_m'>
const LEAST_FLOW = 0.1

/**
 * How far the gate is from what was ordered, in %: of the ordered flow (of a tenth of the design flow at least), of the design depth for a
 * level, of the leaf's height for an opening (the leaf that is farthest off). Undefined where nothing sound is known.
 */
export function deviationOf(target: Order['target'], gate: Built, known: Known): number | undefined {
  switch (target.kind) {
    case 'flow':
      return known.flow === undefined
        ? undefined
        : (100 * Math.abs(known.flow - target.flow_m3s)) / Math.max(target.flow_m3s, LEAST_FLOW * gate.design_flow_m3s)
    case 'level':
      return known.levelUp === undefined
        ? undefined
        : (100 * Math.abs(known.levelUp - target.level_up_m)) / Math.max(0.1, gate.design_level_up_m - gate.sill_m)
    case 'opening':
      return known.openings.length === 0
        ? undefined
        : (100 * Math.max(...known.openings.map((o) => Math.abs(o - target.opening_m)))) / gate.leaf_height_m
  }
}
