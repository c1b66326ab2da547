import { type UnixMs, unixMs } from '#contract/units.ts'
import type { CanalBed } from './canal/hydrostatics.ts'
import type { FaultKind, FaultOrder, OrderOf } from './faults/order.ts'
import { StillingWells } from './faults/stilling-well.ts'
import { unit } from './noise.ts'

/** Which faults the simulated devices have, and when. */

export type PlannedFault<K extends FaultKind = FaultKind> = {
  readonly id: string
  readonly order: { [Kind in K]: OrderOf<Kind> }[K]
  readonly from: UnixMs
  /** The first moment when it is over; null until it is removed. */
  readonly until: UnixMs | null
}
export type Phase = 'waiting' | 'active' | 'over'
export type Place = { readonly site: string; readonly unit: number }

export class Faults {
  /** Where silted ones stand. */
  readonly wells = new StillingWells()
  readonly #seed: number
  readonly #planned = new Map<string, { readonly fault: PlannedFault; asked: number }>()
  #added = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** `origin`: what the order's `at_s` counts from. */
  add(order: FaultOrder, origin: UnixMs): PlannedFault {
    this.#added += 1
    const from = unixMs(origin + order.at_s * 1000)
    const until = order.for_s === undefined ? null : unixMs(from + order.for_s * 1000)
    const fault: PlannedFault = { id: `f${this.#added}`, order, from, until }
    this.#planned.set(fault.id, { fault, asked: 0 })
    return fault
  }

  /** @returns whether there was such a fault. */
  remove(id: string): boolean {
    return this.#planned.delete(id)
  }

  clear(): void {
    this.#planned.clear()
  }

  all(): PlannedFault[] {
    return [...this.#planned.values()].map(({ fault }) => fault)
  }

  /** What strikes a request that reaches this device at `t`. Each call is one request: who has a share of them draws, the same for the same seed. */
  strike(place: Place, t: UnixMs): PlannedFault[] {
    return [...this.#planned.values()].flatMap((entry) => {
      const { id, order } = entry.fault
      if (!isAt(order, place) || phaseOf(entry.fault, t) !== 'active') return []
      entry.asked += 1
      return 'share' in order && unit(this.#seed, 'fault', id, entry.asked) >= order.share ? [] : [entry.fault]
    })
  }

  /** What a canal has at `t`: the deepest silt and the thickest ice that were ordered, m. */
  canalAt(canal: string, t: UnixMs): CanalBed {
    const here = this.all().filter((f) => 'canal' in f.order && f.order.canal === canal && phaseOf(f, t) === 'active')
    return {
      silt_m: Math.max(0, ...ofKind(here, 'silted_canal').map((f) => f.order.depth_m)),
      ice_m: Math.max(0, ...ofKind(here, 'iced_canal').map((f) => f.order.thickness_m)),
    }
  }

  /** A device that has begun to reboot knows the connections from before no more. */
  rebootedSince(place: Place, { connected, t }: { readonly connected: UnixMs; readonly t: UnixMs }): boolean {
    return this.all().some(({ order, from }) => order.kind === 'reboot' && isAt(order, place) && connected < from && from <= t)
  }
}

export function phaseOf({ from, until }: PlannedFault, t: UnixMs): Phase {
  if (t < from) return 'waiting'
  return until === null || t < until ? 'active' : 'over'
}

/** @returns the faults of these kinds, as such. */
export function ofKind<K extends FaultKind>(faults: readonly PlannedFault[], ...kinds: readonly K[]): PlannedFault<K>[] {
  return faults.filter((f): f is PlannedFault<K> & PlannedFault => (kinds as readonly FaultKind[]).includes(f.order.kind))
}

const isAt = (order: FaultOrder, { site, unit: number }: Place): boolean =>
  'site' in order && order.site === site && (order.unit === undefined || order.unit === number)
