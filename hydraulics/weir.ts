import { cubicMetresPerSecond, type Metres } from '#contract/units.ts'
import { type Discharge, type FlowFlag, GRAVITY_MS2, METHODS, refuseNonsense } from './discharge.ts'

/** Water over a crest; both heads are above the crest, `down` may be below it. The approach velocity is neglected. */
export type WeirWater = {
  readonly up: Metres
  /** Absent where the structure has no gauge below and is known to run free. */
  readonly down?: Metres
}

/** Share of the free discharge by tail head over head: D-Flow FM's table, free up to 0.82. */
const BROAD_CRESTED_SUBMERGENCE: readonly (readonly [submergence: number, share: number])[] = [
  [0.82, 1],
  [0.85, 0.95],
  [0.9, 0.9],
  [0.95, 0.8],
  [0.96, 0.6],
  [0.97, 0.4],
  [0.99, 0.2],
  [1, 0],
]
/** ISO 3846 [head by crest length]: longer and friction matters, shorter and the flow is not parallel on the crest. */
const BROAD_CRESTED_RANGE = [0.08, 0.33] as const
/** The steep end of the submergence tables is known far less well than the free discharge. */
const SUBMERGED_UNCERTAINTY = 0.15

export type BroadCrestedWeir = WeirWater & {
  readonly width: Metres
  /** In the direction of the flow; the range is checked where it is given. */
  readonly crestLength?: Metres
  /** 1 is critical flow without losses; 0.85 to 0.95 in practice. */
  readonly coefficient?: number
}

/** Discharge over a broad-crested weir, m³/s: Q = Cd·⅔·√(2g/3)·b·H^1.5, lessened by submergence. */
export function broadCrestedDischarge({ width, up, down, crestLength, coefficient = 1 }: BroadCrestedWeir): Discharge {
  const nonsense = refuseNonsense({
    finite: { 'head above': up, 'head below': down ?? 0 },
    positive: { width, coefficient, 'crest length': crestLength ?? 1 },
  })
  if (nonsense) return nonsense
  const free = coefficient * (2 / 3) * Math.sqrt((2 * GRAVITY_MS2) / 3) * width * Math.max(0, up) ** 1.5
  const [lowest, highest] = BROAD_CRESTED_RANGE
  const inRange = crestLength === undefined || (up / crestLength >= lowest && up / crestLength <= highest)
  const share = up > 0 && down !== undefined ? broadCrestedShare(down / up) : 1
  return over({ free, share, up, inRange, uncertainty: METHODS['broad-crested'].uncertainty })
}

function broadCrestedShare(submergence: number): number {
  let [from, share] = [0, 1]
  for (const [to, next] of BROAD_CRESTED_SUBMERGENCE) {
    if (submergence <= to) return share + ((next - share) * (submergence - from)) / (to - from)
    ;[from, share] = [to, next]
  }
  return 0
}

/** Rehbock's adjustment of the head for viscosity and surface tension. */
const REHBOCK_HEAD_M = 0.0012
/** ISO 1438/1 for Rehbock's formula, metres. */
const REHBOCK_RANGE = { lowestHead: 0.03, highestHead: 0.75, narrowest: 0.3, lowestCrest: 0.1, headToCrest: 1 }

export type SharpCrestedWeir = WeirWater & {
  /** As wide as the channel: no side contraction. */
  readonly width: Metres
  /** Of the crest above the channel's bed. */
  readonly crestHeight: Metres
}

/** Discharge over a full-width sharp-crested weir, m³/s: Rehbock, ISO 1438; Villemonte (1947) where the tail water is above the crest. */
export function sharpCrestedDischarge({ width, up, down, crestHeight }: SharpCrestedWeir): Discharge {
  const nonsense = refuseNonsense({
    finite: { 'head above': up, 'head below': down ?? 0 },
    positive: { width, 'crest height': crestHeight },
  })
  if (nonsense) return nonsense
  const h = Math.max(0, up)
  const free = (0.602 + (0.083 * h) / crestHeight) * (2 / 3) * Math.sqrt(2 * GRAVITY_MS2) * width * (h + REHBOCK_HEAD_M) ** 1.5
  const r = REHBOCK_RANGE
  const inRange =
    h >= r.lowestHead && h <= r.highestHead && width >= r.narrowest && crestHeight >= r.lowestCrest && h / crestHeight <= r.headToCrest
  return over({ free, share: villemonte(up, down, 1.5), up, inRange, uncertainty: METHODS['sharp-crested'].uncertainty })
}

const V_NOTCH_COEFFICIENT = 0.578
/** Kindsvater's adjustment of the head for a 90° notch. */
const V_NOTCH_HEAD_M = 0.00085
/** ISO 1438 for the coefficient above: a fully contracted notch. */
const V_NOTCH_HEADS_M = [0.05, 0.38] as const

/** Discharge over a 90° V-notch in a thin plate, m³/s: ISO 1438, Ce 0.578; Villemonte (1947) where the tail water is above the vertex. */
export function vNotchDischarge({ up, down }: WeirWater): Discharge {
  const nonsense = refuseNonsense({ finite: { 'head above': up, 'head below': down ?? 0 }, positive: {} })
  if (nonsense) return nonsense
  const h = Math.max(0, up)
  const free = V_NOTCH_COEFFICIENT * (8 / 15) * Math.sqrt(2 * GRAVITY_MS2) * (h + V_NOTCH_HEAD_M) ** 2.5
  const [lowest, highest] = V_NOTCH_HEADS_M
  const inRange = h >= lowest && h <= highest
  return over({ free, share: villemonte(up, down, 2.5), up, inRange, uncertainty: METHODS['v-notch'].uncertainty })
}

/** Share of the free discharge of a thin-plate weir; `exponent` is the free weir's own. */
function villemonte(up: number, down: number | undefined, exponent: number): number {
  if (down === undefined || down <= 0 || up <= 0) return 1
  return down >= up ? 0 : (1 - (down / up) ** exponent) ** 0.385
}

function over(weir: { free: number; share: number; up: number; inRange: boolean; uncertainty: number }): Discharge {
  const { free, share, up, inRange, uncertainty } = weir
  if (up <= 0 || share <= 0) {
    return { quality: 'good', flow: cubicMetresPerSecond(0), regime: 'no-flow', flags: [], coefficientUncertainty: uncertainty }
  }
  const flags: FlowFlag[] = inRange ? [] : ['out_of_method_range']
  return {
    quality: 'good',
    flow: cubicMetresPerSecond(free * share),
    regime: share < 1 ? 'submerged' : 'free',
    flags,
    coefficientUncertainty: share < 1 ? SUBMERGED_UNCERTAINTY : uncertainty,
  }
}
