import type { Structured } from './network.ts'
import { type CanalTravel, canalTravel } from './travel.ts'

/** Hours along canals, reckoned for those that are drawn and kept until they are renewed: they do not turn with every value. */
export type Travels = {
  readonly of: (canal: string) => CanalTravel | null
  /** @returns whether one of them would be drawn otherwise now */
  readonly renew: (canals: readonly string[]) => boolean
}

/** @param inLine by canal, the structures across it by chainage. @param flowOf m³/s through a structure, null when it is not known */
export function keepTravels(inLine: ReadonlyMap<string, readonly Structured[]>, flowOf: (id: string) => number | null): Travels {
  const known = new Map<string, CanalTravel | null>()
  const reckon = (canal: string): CanalTravel | null => {
    const travel = canalTravel(inLine.get(canal) ?? [], flowOf)
    known.set(canal, travel)
    return travel
  }
  return {
    of: (canal) => (known.has(canal) ? (known.get(canal) ?? null) : reckon(canal)),
    renew(canals) {
      const before = canals.map((c) => drawnAs(known.get(c)))
      // Of those that are out of sight nothing is kept: they are reckoned when they come into view.
      known.clear()
      return canals.map((c) => drawnAs(reckon(c))).some((now, i) => now !== before[i])
    },
  }
}

/** To 100 m: nearer than a px. */
const drawnAs = (travel: CanalTravel | null | undefined): string => (travel?.ticks ?? []).map((t) => `${t.hours} ${t.km.toFixed(1)}`).join()
