import type { Canal, District, Structure } from '#contract/district.ts'

/** The district as pools between structures: what the integrator-delay model runs on. Pure; figures are estimates from the design data. */

export type Pool = {
  readonly id: string
  readonly canal: string
  /** Lets water in at the upper end; null where it comes from outside the district. */
  readonly inlet: Structure | null
  /** Lets it out at the lower end; null where the canal ends without one. */
  readonly outlet: Structure | null
  /** Structures that draw from the pool along its way: heads and offtakes of other canals, spillways. */
  readonly draws: readonly Structure[]
  readonly lengthM: number
  /** Backwater area, m²: surface width by length. */
  readonly areaM2: number
  /** Time that a change at the inlet takes to reach the lower end, s. */
  readonly delayS: number
  readonly designFlowM3s: number
  /** What direct outlets along the pool take at design, m³/s. */
  readonly lateralM3s: number
  /** Depth of water at the lower end at design, m: how far the pool can fall. */
  readonly depthM: number
}

export type Network = {
  readonly pools: readonly Pool[]
  readonly above: ReadonlyMap<string, Pool>
  readonly below: ReadonlyMap<string, Pool>
}

/** A branch canal whose length is not in the files. */
const BRANCH_LENGTH_M = 12_000
/** Regime width of earth canals here: 80 m at 450 m³/s, 29 m at 70 m³/s. */
const WIDTH_PER_ROOT_FLOW = 3.6
const GRAVITY_MS2 = 9.81
const DESIGN_VELOCITY_MS = 0.95

/** @returns the pools, and for each structure's id the pool above it (that it draws from) and below it (that it feeds). */
export function networkOf(district: District): Network {
  const pools = district.canals.flatMap((canal) => poolsOf(canal, district))
  const above = new Map<string, Pool>()
  const below = new Map<string, Pool>()
  for (const pool of pools) {
    if (pool.outlet) above.set(pool.outlet.id, pool)
    if (pool.inlet) below.set(pool.inlet.id, pool)
    for (const s of pool.draws) above.set(s.id, pool)
  }
  return { pools, above, below }
}

const isInline = (s: Structure): boolean => s.type === 'regulator' || s.type === 'tail'

function poolsOf(canal: Canal, { structures, canals }: District): Pool[] {
  const own = structures.filter((s) => s.canal === canal.id).toSorted((a, b) => a.chainage_km - b.chainage_km)
  const inlet = own.find((s) => s.chainage_km === 0 && !isInline(s))
  if (!inlet) return []
  const along: { s: Structure; at: number }[] = own.filter((s) => s !== inlet).map((s) => ({ s, at: s.chainage_km }))
  for (const child of canals.filter((c) => c.parent === canal.id)) {
    const head = structures.find((s) => s.canal === child.id && s.chainage_km === 0 && !isInline(s))
    if (head) along.push({ s: head, at: child.parent_chainage_km ?? 0 })
  }
  const lengthKm = canal.length_km ?? BRANCH_LENGTH_M / 1000
  const borders = [...along.filter(({ s }) => isInline(s)).toSorted((a, b) => a.at - b.at)]
  const last = borders.at(-1)
  const ends = last && last.at >= lengthKm - 1 ? borders : [...borders, { s: null, at: lengthKm }]
  const pools: Pool[] = []
  let from: { s: Structure; at: number } = { s: inlet, at: 0 }
  for (const end of ends) {
    // An offtake at the very place of a check draws from the pool above the check.
    const draws = along.filter(({ s, at }) => !isInline(s) && at <= end.at && (at > from.at || from.s === inlet)).map(({ s }) => s)
    pools.push(poolBetween({ canal, inlet: from.s, outlet: end.s, draws, lengthM: Math.max(1000, (end.at - from.at) * 1000) }))
    if (end.s) from = { s: end.s, at: end.at }
  }
  return pools
}

function poolBetween(p: { canal: Canal; inlet: Structure; outlet: Structure | null; draws: Structure[]; lengthM: number }): Pool {
  const { inlet, outlet, draws, lengthM } = p
  const flow = inlet.design_flow_m3s
  const depthM = outlet ? outlet.design_level_up_m - outlet.sill_m : inlet.design_level_down_m - inlet.sill_m
  const celerity = Math.sqrt(GRAVITY_MS2 * 0.7 * depthM)
  const taken = draws.filter((s) => s.type !== 'spillway').reduce((sum, s) => sum + s.design_flow_m3s, 0)
  const passedOn = outlet && outlet.type !== 'tail' ? outlet.design_flow_m3s : 0
  return {
    id: `${inlet.id}>${outlet?.id ?? 'end'}`,
    canal: p.canal.id,
    inlet,
    outlet,
    draws,
    lengthM,
    areaM2: WIDTH_PER_ROOT_FLOW * Math.sqrt(flow) * lengthM,
    delayS: lengthM / (DESIGN_VELOCITY_MS + celerity),
    designFlowM3s: flow,
    lateralM3s: Math.max(0, flow - taken - passedOn),
    depthM,
  }
}
