import type { District, Structure } from '#contract/district.ts'
import { metres, type UnixMs, unixMs } from '#contract/units.ts'
import { gateFlow } from '#hydraulics/sluice-gate.ts'
import { type Motion, openingAt } from '../gate-leaf.ts'
import { swing, unit } from '../noise.ts'
import { demandShare } from './calendar.ts'
import { type CanalBed, CLEAN, designWater, normalDepthShift, type Water } from './hydrostatics.ts'
import { networkOf, type Pool } from './network.ts'
import { decideOpening } from './operator.ts'
import { Transit } from './transit.ts'

export type CanalSettings = {
  readonly district: District
  readonly seed: number
  /** The model begins here in a steady state, ms since 1970 UTC. */
  readonly start: UnixMs
  /** Added to the time when the irrigation calendar is asked, ms: see shiftIntoSeason. */
  readonly calendarShiftMs: number
}

/** One step of the model, s. */
export const STEP_S = 60
const STEP_MS = STEP_S * 1000
/** How often a gate's keeper looks at it, in steps. */
const ROUND_STEPS = 20
const LEVEL_DEAD_BAND_M = 0.02
/** Seepage and evaporation of an earth canal, m/s over its water surface. */
const SEEPAGE_MS = 1.5e-6
/** Tail water follows the flow with this time constant, s. */
const TAIL_WATER_S = 600
const RIPPLE_M = 0.0015
/** 0.2 to 0.5 m/min is what leaf hoists do. */
const SLOWEST_MM_S = 3.3
const FASTEST_MM_S = 8.3

type Gate = {
  readonly s: Structure
  readonly design: Water
  readonly pool: PoolState | null
  readonly feeds: PoolState | null
  readonly speed_mm_s: number
  readonly round: number
  readonly leaves: Motion[]
  /** Of each leaf in the last step, mm and m³/s. */
  readonly openings: number[]
  readonly flows: number[]
  /** Set while somebody else moves the leaves: then the keeper does not. */
  commanded: boolean
  flow: number
  up: number
  down: number
  lastUp: number
  lastDown: number
}
type PoolState = {
  readonly pool: Pool
  readonly transit: Transit
  readonly gatesOut: Gate[]
  /** Level at the lower end above (below) design, m. */
  shift: number
  arriving: number
  lateral: number
  /** What has gone into the ground, to the users and out of the district's sight since the start, m³. */
  lost: number
}

/**
 * The canals as integrator-delay pools (Schuurmans 1995): A·dh/dt = q_in(t − τ) − q_out − Σ offtakes − direct outlets − seepage, the flows by
 * the gates' own hydraulics. Water is neither made nor lost: {@link balance} shows it. It advances in steps of a minute on demand; the same
 * settings and the same commands give the same water.
 */
export class CanalModel {
  readonly #settings: CanalSettings
  readonly #gates = new Map<string, Gate>()
  readonly #pools: PoolState[]
  #t: number
  #inflow = 0
  #outflow = 0
  readonly #storedAtStart: number
  readonly #orders = new Map<string, number>()
  #ordersHour = Number.NaN
  #bedAt: (canal: string, t: UnixMs) => CanalBed = () => CLEAN

  constructor(settings: CanalSettings) {
    this.#settings = settings
    const network = networkOf(settings.district)
    this.#t = Math.floor(settings.start / STEP_MS) * STEP_MS
    this.#pools = network.pools.map((pool) => this.#poolAtRest(pool))
    const stateOf = new Map(this.#pools.map((p) => [p.pool, p]))
    const of = (pool: Pool | undefined): PoolState | null => (pool ? (stateOf.get(pool) ?? null) : null)
    for (const s of settings.district.structures) {
      const gate = this.#gateAtRest(s, of(network.above.get(s.id)), of(network.below.get(s.id)))
      this.#gates.set(s.id, gate)
      gate.pool?.gatesOut.push(gate)
    }
    this.#storedAtStart = this.stored()
  }

  /** Ids of the canals that water flows in. */
  get canals(): string[] {
    return [...new Set(this.#pools.map((p) => p.pool.canal))]
  }

  /** Depths above the sill at `t`, which is never before an earlier call's minute. */
  water(structure: string, t: UnixMs): Water {
    this.advance(t)
    const g = this.#gate(structure)
    const share = Math.min(1, Math.max(0, (t - (this.#t - STEP_MS)) / STEP_MS))
    const second = Math.floor(t / 1000)
    const { seed } = this.#settings
    const between = (from: number, to: number, side: string): number =>
      Math.max(0, from + (to - from) * share + RIPPLE_M * swing(seed, structure, side, second))
    return { up: between(g.lastUp, g.up, 'ripple up'), down: between(g.lastDown, g.down, 'ripple down') }
  }

  /** Through all leaves in the last step before `t`, m³/s. */
  flow(structure: string, t: UnixMs): number {
    this.advance(t)
    return this.#gate(structure).flow
  }

  /** How each leaf moves at present. */
  motions(structure: string, t: UnixMs): readonly Motion[] {
    this.advance(t)
    return this.#gate(structure).leaves
  }

  /** A command has taken the structure's leaf over from its keeper. */
  command(structure: string, leaf: number, motion: Motion): void {
    const g = this.#gate(structure)
    g.commanded = true
    g.leaves[leaf] = motion
  }

  /** From now on the canals are asked what silt and ice they have. Water levels feel it, the storage of the pools does not. */
  lay(bedAt: (canal: string, t: UnixMs) => CanalBed): void {
    this.#bedAt = bedAt
  }

  isCommanded(structure: string): boolean {
    return this.#gate(structure).commanded
  }

  speedOf(structure: string): number {
    return this.#gate(structure).speed_mm_s
  }

  advance(t: UnixMs): void {
    while (this.#t <= t) this.#step()
  }

  /** Water in the pools and on its way in them, m³ above empty design pools. */
  stored(): number {
    return this.#pools.reduce((sum, p) => sum + p.shift * p.pool.areaM2 + p.transit.volume(STEP_S), 0)
  }

  /** m³ since the start: `inflow` = `outflow` + `stored`, whatever the gates did. `outflow` includes users and seepage. */
  balance(): { readonly inflow: number; readonly outflow: number; readonly stored: number } {
    const lost = this.#pools.reduce((sum, p) => sum + p.lost, 0)
    return { inflow: this.#inflow, outflow: this.#outflow + lost, stored: this.stored() - this.#storedAtStart }
  }

  #poolAtRest(pool: Pool): PoolState {
    const flow = this.#wanted(pool.canal, this.#t) * pool.designFlowM3s
    const transit = new Transit(Math.round(pool.delayS / STEP_S), flow)
    return { pool, transit, gatesOut: [], shift: flow > 0 ? 0 : -0.8 * pool.depthM, arriving: flow, lateral: 0, lost: 0 }
  }

  #gateAtRest(s: Structure, pool: PoolState | null, feeds: PoolState | null): Gate {
    const { seed } = this.#settings
    const design = designWater(s)
    const flow = this.#wanted(s.canal, this.#t) * s.design_flow_m3s
    const share = flow / s.design_flow_m3s
    const up = design.up + (pool?.shift ?? 0)
    const down = design.down + Math.max(feeds?.shift ?? Number.NEGATIVE_INFINITY, normalDepthShift(design.down, share))
    const gate: Gate = {
      s,
      design,
      pool,
      feeds,
      speed_mm_s: SLOWEST_MM_S + (FASTEST_MM_S - SLOWEST_MM_S) * unit(seed, s.id, 'speed'),
      round: Math.floor(ROUND_STEPS * unit(seed, s.id, 'round')),
      ...{ leaves: [], openings: [], flows: [] },
      commanded: false,
      flow,
      up,
      down,
      lastUp: up,
      lastDown: down,
    }
    const opening =
      s.type === 'spillway' && pool ? 0 : decideOpening({ ...asSeen(gate, 0), flow: 0, wanted: this.#wantedFlow(gate, unixMs(this.#t)) })
    for (let i = 0; i < s.leaves; i++) {
      const at = this.#unevened(gate, opening, i)
      gate.leaves.push({ from_mm: at, to_mm: at, start: unixMs(this.#t), speed_mm_s: gate.speed_mm_s })
    }
    return gate
  }

  #gate(structure: string): Gate {
    const gate = this.#gates.get(structure)
    if (!gate) throw new Error(`the district has no structure ${structure}`)
    return gate
  }

  /** Share of its design flow that a canal is to be given. A branch takes its turn with the trunk canal that feeds it. */
  #wanted(canal: string, t: number): number {
    const hour = Math.floor(t / 3_600_000)
    if (hour !== this.#ordersHour) {
      this.#ordersHour = hour
      this.#orders.clear()
    }
    let share = this.#orders.get(canal)
    if (share === undefined) {
      share = this.#ordered(canal, hour * 3_600_000)
      this.#orders.set(canal, share)
    }
    return share
  }

  #ordered(canal: string, t: number): number {
    const { district, seed, calendarShiftMs } = this.#settings
    const parentOf = (id: string): string | null => district.canals.find((c) => c.id === id)?.parent ?? null
    let trunk = canal
    for (let parent = parentOf(trunk); parent !== null && !isMain(parent, parentOf); parent = parentOf(trunk)) trunk = parent
    const share = demandShare(trunk, seed, t + calendarShiftMs)
    return trunk === canal ? share : share * (0.85 + 0.25 * unit(seed, canal, 'part'))
  }

  /** Encoders of leaves that should be level differ by a few millimetres. */
  #unevened(g: Gate, opening_mm: number, leaf: number): number {
    if (opening_mm <= 0) return 0
    const uneven = Math.round(3 * swing(this.#settings.seed, g.s.id, 'uneven', leaf))
    return Math.min(Math.max(opening_mm + uneven, 0), Math.round(g.s.leaf_height_m * 1000))
  }

  #step(): void {
    const t = unixMs(this.#t)
    const n = Math.round(t / STEP_MS)
    for (const g of this.#gates.values()) g.flow = flowThrough(g, t)
    for (const p of this.#pools) this.#fill(p, t)
    for (const g of this.#gates.values()) {
      this.#settleLevels(g, t)
      if (!g.commanded && n % ROUND_STEPS === g.round) this.#keep(g, t)
    }
    this.#t += STEP_MS
  }

  #fill(p: PoolState, t: UnixMs): void {
    const { pool } = p
    const enters = pool.inlet ? this.#gate(pool.inlet.id).flow : 0
    // From the river and the district's edge.
    if (pool.inlet && this.#gate(pool.inlet.id).pool === null) this.#inflow += enters * STEP_S
    p.arriving = p.transit.pass(enters)
    const depthShare = Math.max(0, (pool.depthM + p.shift) / pool.depthM)
    // A canal without a gate at its end feeds fields by its own level; where there is one, users take what they ordered.
    p.lateral = pool.outlet ? pool.lateralM3s * this.#wanted(pool.canal, t) * Math.min(1, depthShare) : pool.lateralM3s * depthShare ** 1.5
    const seepage = depthShare > 0 ? SEEPAGE_MS * pool.areaM2 * Math.min(1, depthShare) : 0
    let leaves = 0
    for (const g of p.gatesOut) {
      leaves += g.flow
      if (g.feeds === null) this.#outflow += g.flow * STEP_S
    }
    p.lost += (p.lateral + seepage) * STEP_S
    p.shift += ((p.arriving - leaves - p.lateral - seepage) * STEP_S) / pool.areaM2
  }

  #settleLevels(g: Gate, t: UnixMs): void {
    g.lastUp = g.up
    g.lastDown = g.down
    const shift = g.pool ? g.pool.shift : 0.04 * g.design.up * this.#riverSwing(g, t)
    g.up = Math.max(0, g.design.up + shift)
    const bed = g.feeds ? this.#bedAt(g.feeds.pool.canal, t) : CLEAN
    const normal = normalDepthShift(g.design.down, g.flow / g.s.design_flow_m3s, bed)
    const wanted = Math.max(0, g.design.down + Math.max(normal, g.feeds?.shift ?? Number.NEGATIVE_INFINITY))
    g.down += (wanted - g.down) * Math.min(1, STEP_S / TAIL_WATER_S)
  }

  #riverSwing(g: Gate, t: number): number {
    const hours = t / 3_600_000
    const phase = unit(this.#settings.seed, g.s.canal, 'river')
    return 0.7 * Math.sin(2 * Math.PI * (hours / 61 + phase)) + 0.3 * Math.sin(2 * Math.PI * (hours / 7.3 + 2 * phase))
  }

  #keep(g: Gate, t: UnixMs): void {
    const wanted = this.#wantedFlow(g, t)
    const before = openingAt(g.leaves[0] ?? { from_mm: 0, to_mm: 0, start: t, speed_mm_s: 1 }, t)
    const opening = decideOpening({ ...asSeen(g, before), wanted })
    if (opening === before) return
    for (const [i, m] of g.leaves.entries()) {
      g.leaves[i] = { from_mm: openingAt(m, t), to_mm: this.#unevened(g, opening, i), start: t, speed_mm_s: g.speed_mm_s }
    }
  }

  /** What a gate's keeper means to pass, m³/s. Heads and offtakes are given orders, checks and tails hold the level above them. */
  #wantedFlow(g: Gate, t: UnixMs): number {
    const { s, pool } = g
    if (pool && (s.type === 'regulator' || s.type === 'tail' || s.type === 'spillway')) {
      const hold = HOLD_SHIFT_M[s.type]
      const others = pool.gatesOut.reduce((sum, o) => sum + (o === g ? 0 : o.flow), 0)
      const surplus = s.type === 'spillway' ? 0 : pool.arriving - others - pool.lateral
      const error = pool.shift - hold
      // Large canals are let be within two centimetres.
      if (Math.abs(error) <= LEVEL_DEAD_BAND_M && g.flow > 0) return g.flow
      const correction = (error * pool.pool.areaM2) / Math.max(7200, 2 * pool.pool.delayS)
      return Math.max(0, surplus + correction)
    }
    if (s.type === 'head' && g.feeds && s.canal === MAIN_CANAL) return this.#wantedByChildren(s.canal, t)
    if (s.type === 'regulator' || s.type === 'spillway') return s.design_flow_m3s * (0.25 + 0.1 * this.#riverSwing(g, t))
    return s.design_flow_m3s * this.#wanted(s.canal, t)
  }

  /** A main canal is given what the canals that leave it were promised, and what is lost on the way. */
  #wantedByChildren(canal: string, t: UnixMs): number {
    const { canals } = this.#settings.district
    const sum = canals
      .filter((c) => c.parent === canal && c.length_km !== null)
      .reduce((q, c) => q + (c.design_flow_m3s ?? 0) * this.#wanted(c.id, t), 0)
    return 1.12 * sum
  }
}

/** The river and the canal that leaves it to feed the trunk canals: what hangs on them takes turns of its own. */
const isMain = (canal: string, parentOf: (id: string) => string | null): boolean => {
  const parent = parentOf(canal)
  return parent === null || (parentOf(parent) === null && canal === MAIN_CANAL)
}
/** Its head is given what its branches were promised together. */
const MAIN_CANAL = 'zonggan'

/** Where the level above is held, m from design: an escape begins where a check would have let go long ago. */
const HOLD_SHIFT_M = { regulator: -0.05, tail: 0.02, spillway: 0.3 } as const

const asSeen = (g: Gate, opening_mm: number) => ({
  opening_mm,
  flow: g.flow,
  up: g.up,
  down: g.down,
  leaves: g.s.leaves,
  width_m: g.s.leaf_width_m,
  height_mm: Math.round(g.s.leaf_height_m * 1000),
})

/** Through all leaves, m³/s. Many stand alike: each opening is reckoned once. */
function flowThrough(g: Gate, t: UnixMs): number {
  const { openings, flows, leaves } = g
  let sum = 0
  for (let i = 0; i < leaves.length; i++) {
    const opening = openingAt(leaves[i] as Motion, t)
    openings[i] = opening
    const alike = openings.indexOf(opening)
    const flow = alike < i ? (flows[alike] as number) : flowUnder(g, opening)
    flows[i] = flow
    sum += flow
  }
  return sum
}

function flowUnder(g: Gate, opening_mm: number): number {
  if (opening_mm <= 0) return 0
  const result = gateFlow({
    width: metres(g.s.leaf_width_m),
    opening: metres(opening_mm / 1000),
    up: metres(g.up),
    down: metres(g.down),
  })
  if (result.regime === 'bad') throw new Error(`${g.s.id}: the model's water makes no sense (${g.up} m above, ${g.down} m below)`)
  return result.flow
}
