import type { Static } from 'typebox'
import type { Structure } from '#contract/district.ts'
import { intakesOf, type Reach, reachesOf } from '#contract/network.ts'
import { type Period, periodAt } from '#contract/periods.ts'
import { milliseconds, type UnixMs, unixMs } from '#contract/units.ts'
import type { Aggregate, Correction, History } from '#history/port.ts'
import type { Registry } from '#registry/port.ts'
import type { DistrictView } from '../district-view.ts'
import type { VolumeSettings } from '../settings.ts'
import { CHANGE_METRICS, changeOf, type FoundChange } from './changes.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** Of reaches: what a reach stores and lets go within a day evens out, and the water passes all of it. */
export const BALANCE_MS = 24 * HOUR_MS
/** Before that: what the same reach usually loses, to its fields and into the ground. */
const USUAL_MS = 7 * 24 * HOUR_MS
/** So old may an answer be: many pages ask, and the figures move slowly. */
const FRESH_MS = 20_000

/** What is reckoned for the whole district; what a person is told of it is the routes' matter. */
export type Reckoned = {
  readonly at: UnixMs
  readonly day: Period
  readonly season: Period
  readonly intakes: readonly Structure[]
  readonly reaches: readonly Reach<Structure>[]
  readonly today: ReadonlyMap<string, Aggregate>
  readonly ofSeason: ReadonlyMap<string, Aggregate>
  readonly ofReaches: ReadonlyMap<string, Aggregate>
  /** Of the days before. */
  readonly usual: ReadonlyMap<string, Aggregate>
  /** m³ by intake; empty where nobody has entered a plan. */
  readonly plans: ReadonlyMap<string, number>
  readonly changes: readonly FoundChange[]
}

type Deps = {
  readonly district: DistrictView
  readonly history: Pick<History, 'aggregate'>
  readonly registry: Pick<Registry, 'orders'>
  readonly settings: Static<typeof VolumeSettings>
  readonly correctionsOf: (gates: readonly string[], of: { metric: string; from: number; to: number }) => Promise<readonly Correction[]>
  readonly now: () => UnixMs
}

/** Of the past so many moments are kept reckoned: those who look at a replay together ask for the same. */
const MOST_MOMENTS = 20

/** The situation of the district, reckoned at most once in a few seconds however many ask. */
export class SituationView {
  readonly #deps: Deps
  #reckoning: { readonly at: number; readonly result: Promise<Reckoned> } | undefined
  /** By moment; the one asked for last stands last. */
  readonly #past = new Map<UnixMs, { readonly at: number; readonly result: Promise<Reckoned> }>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** As it was at a past moment, by what is known of it now. @throws Fault REGISTRY_UNREACHABLE, HISTORY_UNREACHABLE */
  async readAt(moment: UnixMs): Promise<Reckoned> {
    const now = performance.now()
    const known = this.#past.get(moment)
    // Late data may change the past too.
    const kept = known && now - known.at < FRESH_MS ? known : { at: now, result: reckon({ ...this.#deps, now: () => moment }) }
    this.#past.delete(moment)
    this.#past.set(moment, kept)
    const [oldest] = this.#past.keys()
    if (this.#past.size > MOST_MOMENTS && oldest !== undefined) this.#past.delete(oldest)
    try {
      return await kept.result
    } catch (error) {
      if (this.#past.get(moment) === kept) this.#past.delete(moment)
      throw error
    }
  }

  /** @throws Fault REGISTRY_UNREACHABLE, HISTORY_UNREACHABLE */
  async read(): Promise<Reckoned> {
    const now = performance.now()
    if (this.#reckoning && now - this.#reckoning.at < FRESH_MS) return await this.#reckoning.result
    const reckoning = { at: now, result: reckon(this.#deps) }
    this.#reckoning = reckoning
    try {
      return await reckoning.result
    } catch (error) {
      if (this.#reckoning === reckoning) this.#reckoning = undefined
      throw error
    }
  }
}

async function reckon({ district, history, registry, settings, correctionsOf, now }: Deps): Promise<Reckoned> {
  const at = now()
  const { canals, structures } = await district.read()
  const [day, season] = [periodAt('day', at, settings.calendar), periodAt('season', at, settings.calendar)]
  const intakes = intakesOf(canals, structures)
  const reaches = reachesOf(canals, structures)
  const longestBridged = milliseconds(settings.longest_bridged_min * MINUTE_MS)
  const flowsOf = async (gates: readonly string[], edges: readonly UnixMs[], metric = 'flow') => {
    const [from = at, to = at] = [edges[0], edges.at(-1)]
    const corrections = await correctionsOf(gates, { metric, from, to })
    return await history.aggregate({ gates, metric, edges, longestBridged, corrections })
  }
  const firstOf = (all: ReadonlyMap<string, readonly Aggregate[]>): ReadonlyMap<string, Aggregate> =>
    new Map([...all].flatMap(([gate, [one]]) => (one ? [[gate, one] as const] : [])))

  const intakeIds = intakes.map((s) => s.id)
  const reachIds = [...new Set(reaches.flatMap((r) => [r.up, r.down, ...r.offtakes].map((s) => s.id)))]
  const hours = [unixMs(at - 2 * HOUR_MS), unixMs(at - HOUR_MS), at]
  const balanceFrom = unixMs(at - BALANCE_MS)
  const [today, ofSeason, ofReaches, usual, plans, changed] = await Promise.all([
    flowsOf(intakeIds, [day.from, at]).then(firstOf),
    flowsOf(intakeIds, [season.from, at]).then(firstOf),
    flowsOf(reachIds, [balanceFrom, at]).then(firstOf),
    flowsOf(reachIds, [unixMs(balanceFrom - USUAL_MS), balanceFrom]).then(firstOf),
    registry.orders.plans({ from: season.from, to: season.to }),
    Promise.all(
      CHANGE_METRICS.map(async (metric) => ({
        metric,
        found: await flowsOf(
          structures.map((s) => s.id),
          hours,
          metric,
        ),
      })),
    ),
  ])
  const planned = new Map<string, number>()
  for (const { structure, kind, volumeM3 } of plans)
    if (kind === 'tenday' && intakeIds.includes(structure)) planned.set(structure, (planned.get(structure) ?? 0) + volumeM3)
  const changes = changed.flatMap(({ metric, found }) =>
    structures.flatMap(
      (s): FoundChange | FoundChange[] =>
        changeOf(metric, { gate: s.id, designFlow: s.design_flow_m3s, hours: found.get(s.id) ?? [] }) ?? [],
    ),
  )
  changes.sort((a, b) => b.weight - a.weight)
  return { at, day, season, intakes, reaches, today, ofSeason, ofReaches, usual, plans: planned, changes }
}
