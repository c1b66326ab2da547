import { cubicMetresPerSecond, type Metres } from '#contract/units.ts'
import { type Discharge, type FlowFlag, METHODS, refuse, refuseNonsense } from './discharge.ts'

const FOOT_M = 0.3048
const CUBIC_FOOT_M3 = FOOT_M ** 3

/** Free flow Q = c·Ha^n in ft³/s and ft; the flows of the calibration, and the submergence Hb/Ha up to which the flume runs free. */
type ParshallSize = { readonly c: number; readonly n: number; readonly cfs: readonly [number, number]; readonly freeUpTo: number }

/** 1 to 8 ft: Q = 4·W·Ha^(1.522·W^0.026). */
const oneToEightFeet = (w: number, cfs: readonly [number, number], freeUpTo: number): ParshallSize => ({
  c: 4 * w,
  n: 1.522 * w ** 0.026,
  cfs,
  freeUpTo,
})
/** 10 to 50 ft: Q = (3.6875·W + 2.5)·Ha^1.6. */
const tenToFiftyFeet = (w: number, cfs: readonly [number, number]): ParshallSize => ({ c: 3.6875 * w + 2.5, n: 1.6, cfs, freeUpTo: 0.8 })

/**
 * Standard sizes by throat width. The sizes were built in feet, so the formulas stay in feet (ASTM D1941, USBR Water Measurement Manual, table 8-4).
 * Submergence limits: the lower of that manual's (50, 60, 70, 80 %) and Skogerboe's (1967: 62 to 68 % for 1 to 3 ft).
 */
export const PARSHALL_SIZES = {
  '1in': { c: 0.338, n: 1.55, cfs: [0.005, 0.15], freeUpTo: 0.5 },
  '2in': { c: 0.676, n: 1.55, cfs: [0.01, 0.3], freeUpTo: 0.5 },
  '3in': { c: 0.992, n: 1.547, cfs: [0.03, 1.9], freeUpTo: 0.5 },
  '6in': { c: 2.06, n: 1.58, cfs: [0.05, 3.9], freeUpTo: 0.55 },
  '9in': { c: 3.07, n: 1.53, cfs: [0.09, 8.9], freeUpTo: 0.6 },
  '1ft': oneToEightFeet(1, [0.11, 16.1], 0.62),
  '18in': oneToEightFeet(1.5, [0.15, 24.6], 0.64),
  '2ft': oneToEightFeet(2, [0.42, 33.1], 0.66),
  '3ft': oneToEightFeet(3, [0.61, 50.4], 0.68),
  '4ft': oneToEightFeet(4, [1.3, 67.9], 0.7),
  '5ft': oneToEightFeet(5, [1.6, 85.6], 0.7),
  '6ft': oneToEightFeet(6, [2.6, 103.5], 0.7),
  '7ft': oneToEightFeet(7, [3, 121.4], 0.7),
  '8ft': oneToEightFeet(8, [3.5, 139.5], 0.7),
  '10ft': tenToFiftyFeet(10, [6, 300]),
  '12ft': tenToFiftyFeet(12, [8, 520]),
  '15ft': tenToFiftyFeet(15, [8, 900]),
  '20ft': tenToFiftyFeet(20, [10, 1340]),
  '25ft': tenToFiftyFeet(25, [15, 1660]),
  '30ft': tenToFiftyFeet(30, [15, 1990]),
  '40ft': tenToFiftyFeet(40, [20, 2640]),
  '50ft': tenToFiftyFeet(50, [25, 3280]),
} as const satisfies Record<string, ParshallSize>
export type ParshallThroat = keyof typeof PARSHALL_SIZES

/** Beyond it no correction is practical. */
const NOT_CORRECTABLE_FROM = 0.9
/** A submerged flume passes less than its free formula says, by up to about so much below 90 %. */
const SUBMERGED_UNCERTAINTY = 0.3

export type ParshallFlume = {
  readonly throat: ParshallThroat
  /** Ha, above the floor of the converging section. */
  readonly up: Metres
  /** Hb, above the same floor, in the throat. Absent where the flume has one gauge and is known to run free. */
  readonly down?: Metres
}

/**
 * Discharge of a Parshall flume, m³/s, by its free-flow formula. Submerged up to 90 % the free discharge is given, flagged, as an upper bound: the
 * published corrections contradict each other, so none is applied. Above that there is no number.
 */
export function parshallDischarge({ throat, up, down }: ParshallFlume): Discharge {
  const nonsense = refuseNonsense({ finite: { 'head Ha': up, 'head Hb': down ?? 0 }, positive: {} })
  if (nonsense) return nonsense
  const { uncertainty } = METHODS.parshall
  if (up <= 0) {
    return { quality: 'good', flow: cubicMetresPerSecond(0), regime: 'no-flow', flags: [], coefficientUncertainty: uncertainty }
  }
  const { c, n, cfs, freeUpTo }: ParshallSize = PARSHALL_SIZES[throat]
  const submergence = (down ?? 0) / up
  if (submergence > NOT_CORRECTABLE_FROM) {
    return refuse('out_of_range', `flume submerged to ${Math.round(submergence * 100)} %: Ha ${up}, Hb ${down} m`)
  }
  const flowCfs = c * (up / FOOT_M) ** n
  const submerged = submergence > freeUpTo
  const flags: FlowFlag[] = submerged || flowCfs < cfs[0] || flowCfs > cfs[1] ? ['out_of_method_range'] : []
  return {
    quality: 'good',
    flow: cubicMetresPerSecond(flowCfs * CUBIC_FOOT_M3),
    regime: submerged ? 'submerged' : 'free',
    flags,
    coefficientUncertainty: submerged ? SUBMERGED_UNCERTAINTY : uncertainty,
  }
}
