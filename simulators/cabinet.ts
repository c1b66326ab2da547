import type { UnixMs } from '#contract/units.ts'
import { swing, unit } from './noise.ts'

/** The electrics of a gatehouse: battery, radio, door, mains. */

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** Display and water days are those of Asia/Shanghai (UTC+8, no summer time). */
const SHANGHAI = 8 * 60 * MINUTE

export const FAULT_BITS = { mainsLost: 1 << 0, motorOverload: 1 << 4 } as const

export type Cabinet = { readonly battery: number; readonly rssi: number; readonly door: boolean; readonly fault: number }

/** @returns battery in V, signal in dBm, door and fault bits: the same for the same seed, structure and time. */
export function cabinetAt(id: string, seed: number, t: UnixMs): Cabinet {
  const local = t + SHANGHAI
  const day = Math.floor(local / DAY)
  const time = local - day * DAY
  const minute = Math.floor(t / MINUTE)
  const mainsLost = within(time, { share: 0.05, minutes: 20, key: 'mains', id, seed, day })
  const door = within(time, { share: 0.3, minutes: 15, key: 'door', id, seed, day })
  // Full at 14:00, lowest before dawn: a panel on the roof.
  const sun = Math.cos((2 * Math.PI * (time - 14 * 60 * MINUTE)) / DAY)
  return {
    battery: 12.6 + 0.35 * sun + 0.02 * swing(seed, id, 'battery', minute) - (mainsLost ? 0.3 : 0),
    rssi: Math.round(-75 + 8 * swing(seed, id, 'rssi') + 3 * swing(seed, id, 'rssi', Math.floor(t / 10_000))),
    door,
    fault: mainsLost ? FAULT_BITS.mainsLost : 0,
  }
}

type Occasion = { share: number; minutes: number; key: string; id: string; seed: number; day: number }

/** An occasion of some minutes between 08:00 and 18:00, on a share of the days. */
function within(time: number, { share, minutes, key, id, seed, day }: Occasion): boolean {
  if (unit(seed, id, key, day) >= share) return false
  const start = (8 + 10 * unit(seed, id, key, 'start', day)) * 60 * MINUTE
  return time >= start && time < start + minutes * MINUTE
}
