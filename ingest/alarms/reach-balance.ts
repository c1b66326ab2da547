import type { Structure } from '#contract/district.ts'
import type { Reach } from '#contract/network.ts'

const MINUTE_MS = 60_000
/** Over about this time flows are averaged, so that what a reach fills and empties is no loss; and so long nothing is said after a start. */
const AVERAGED_MS = 120 * MINUTE_MS
/** An older flow says nothing of now. */
const FRESH_MS = 15 * MINUTE_MS
/** Below this share of the design flow the error of the flows is larger than any loss. */
const LEAST_FLOW = 0.1

type Mean = { since: number; t: number; flow: number }

/** What goes into each reach against what leaves it by structures, as exponential means. */
export class ReachBalance {
  readonly #means = new Map<string, Mean>()

  /** A good flow in m³/s, in the order of time. */
  take(gate: string, t: number, flow: number): void {
    const mean = this.#means.get(gate)
    if (!mean || t - mean.t > AVERAGED_MS) {
      this.#means.set(gate, { since: t, t, flow })
      return
    }
    mean.flow += (flow - mean.flow) * (1 - Math.exp((mean.t - t) / AVERAGED_MS))
    mean.t = t
  }

  /** What it passes from now on is not seen here. */
  forget(gate: string): void {
    this.#means.delete(gate)
  }

  /** @returns the difference as % of what goes in; undefined where a flow is missing, old, small or not known for long enough. */
  imbalance({ up, down, offtakes }: Reach<Pick<Structure, 'id' | 'design_flow_m3s'>>, now: number): number | undefined {
    const flowOf = (id: string): number | undefined => {
      const mean = this.#means.get(id)
      return mean && now - mean.t <= FRESH_MS && now - mean.since >= AVERAGED_MS ? mean.flow : undefined
    }
    const into = flowOf(up.id)
    const out = [down, ...offtakes].map((s) => flowOf(s.id))
    if (into === undefined || into < LEAST_FLOW * up.design_flow_m3s) return undefined
    let sum = 0
    for (const flow of out) {
      if (flow === undefined) return undefined
      sum += flow
    }
    return (100 * Math.abs(into - sum)) / into
  }
}
