import type { AlarmKind } from '#contract/alarm.ts'
import type { Structure } from '#contract/district.ts'
import { leafOfOpening } from '#contract/metrics.ts'
import { type Reach, reachesOf } from '#contract/network.ts'
import type { Sample } from '#history/port.ts'
import { askedByGate, deviationOf, isAskedFor, type Known, orderInForce, type Surroundings } from './instructions.ts'
import { LeafMoves } from './leaf-moves.ts'
import { ReachBalance } from './reach-balance.ts'

const BALANCED_EVERY_MS = 60_000
const AUTOMATIC = 2

/** A figure that a rule's limit is held against. */
export type Judgement = { readonly kind: AlarmKind; readonly gate: string; readonly t: number; readonly value: number }
type Memory = { readonly values: Map<string, number> }

/** What no single sample tells: a leaf that moved unasked, a gate off its order, a reach that loses water. */
export class WaterWatch {
  readonly #moves = new LeafMoves()
  readonly #balance = new ReachBalance()
  readonly #gates = new Map<string, Memory>()
  #asked = askedByGate({ commands: [], orders: [] })
  #reaches: Reach<Structure>[] = []
  #balancedAt = Number.NEGATIVE_INFINITY

  /** Commands and orders have been read again. */
  refresh(known: Surroundings, gates: readonly Structure[], now: number): Judgement[] {
    this.#asked = askedByGate(known)
    this.#reaches = reachesOf(known.canals, gates)
    return gates.flatMap(({ id }): Judgement[] => {
      const settled: Judgement[] =
        this.#isAskedFor(id, now) && this.#moves.settle(id) ? [{ kind: 'leaf_moved', gate: id, t: now, value: 0 }] : []
      return orderInForce(this.#asked(id), now) ? settled : [...settled, { kind: 'order_deviation', gate: id, t: now, value: 0 }]
    })
  }

  /** A sample that is the newest of its metric. */
  take(gate: Structure, sample: Sample): Judgement[] {
    if (sample.reading.quality !== 'good') return []
    const { metric } = sample
    const { value } = sample.reading
    const t = Math.min(sample.t, sample.received)
    const { values } = this.#memoryOf(gate.id)
    values.set(metric, value)
    if (metric === 'flow') this.#balance.take(gate.id, t, value)
    const found: Judgement[] = []
    const moves = isOpening(metric)
    if (moves) {
      const moved = this.#moves.take(gate.id, metric, { t, opening: value, askedFor: this.#isAskedFor(gate.id, t) })
      found.push({ kind: 'leaf_moved', gate: gate.id, t, value: moved })
    }
    if (moves || metric === 'flow' || metric === 'level_up') {
      const order = orderInForce(this.#asked(gate.id), t)
      const deviation = order && deviationOf(order.target, gate, knownOf(values))
      if (deviation !== undefined) found.push({ kind: 'order_deviation', gate: gate.id, t, value: deviation })
    }
    return found
  }

  /** Once a minute: how each reach stands. */
  tick(now: number): Judgement[] {
    if (now - this.#balancedAt < BALANCED_EVERY_MS) return []
    this.#balancedAt = now
    return this.#reaches.flatMap((reach): Judgement[] => {
      const value = this.#balance.imbalance(reach, now)
      return value === undefined ? [] : [{ kind: 'reach_unbalanced', gate: reach.down.id, t: now, value }]
    })
  }

  /** Another worker sees the gate from now on: where its leaves stand here is soon no longer true. */
  forget(gate: string): void {
    this.#moves.forget(gate)
    this.#balance.forget(gate)
    this.#gates.delete(gate)
  }

  #isAskedFor(gate: string, t: number): boolean {
    return this.#memoryOf(gate).values.get('mode') === AUTOMATIC || isAskedFor(this.#asked(gate), t)
  }

  #memoryOf(gate: string): Memory {
    const memory = this.#gates.get(gate) ?? { values: new Map<string, number>() }
    this.#gates.set(gate, memory)
    return memory
  }
}

function knownOf(values: ReadonlyMap<string, number>): Known {
  const openings = [...values].filter(([metric]) => isOpening(metric)).map(([, value]) => value)
  return { flow: values.get('flow'), levelUp: values.get('level_up'), openings }
}

const isOpening = (metric: string): boolean => leafOfOpening(metric) !== undefined
