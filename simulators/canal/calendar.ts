import { swing, unit } from '../noise.ts'

/** The irrigation calendar of Hetao as a share of what a canal was built for. Windows after the seasons that were observed (2013 to 2025). */

const DAY_MS = 86_400_000
/** Water days begin at 08:00 in Shanghai (UTC+8), which is midnight UTC. */
export const waterDay = (t: number): number => Math.floor(t / DAY_MS)

type Window = {
  readonly from: readonly [month: number, day: number]
  readonly to: readonly [month: number, day: number]
  readonly share: number
}
const SEASONS: readonly Window[] = [
  // 夏灌
  { from: [4, 10], to: [6, 30], share: 0.62 },
  // 秋灌
  { from: [7, 1], to: [9, 8], share: 0.5 },
  // 秋浇: salt leaching, the largest demand
  { from: [9, 15], to: [11, 12], share: 0.72 },
]
/** Days over which a season begins and ends. */
const RAMP_DAYS = 4
/** Rotation (轮灌): a canal is served for some days and then rests while others are. */
const ROTATION_DAYS = 12
const SERVED_SHARE = 0.7
const RESTING_SHARE = 0.35

/** The day in which the demo pretends to be when canals lie dry: the height of 秋浇. */
const HEIGHT_OF_SEASON: readonly [month: number, day: number] = [10, 20]

const dayOfYear = (year: number, [month, day]: readonly [number, number]): number => Date.UTC(year, month - 1, day) / DAY_MS

/** @returns what share of its design flow is wanted in the whole district on that water day: 0 where canals are closed. */
export function seasonShare(day: number): number {
  const year = new Date(day * DAY_MS).getUTCFullYear()
  let share = 0
  for (const { from, to, share: full } of SEASONS) {
    const [first, last] = [dayOfYear(year, from), dayOfYear(year, to)]
    if (day < first || day > last) continue
    share = Math.max(share, full * Math.min(1, (day - first + 1) / RAMP_DAYS, (last - day + 1) / RAMP_DAYS))
  }
  return share
}

/**
 * The share of its design flow that a canal's users want at `t`: the season, the canal's turn in the rotation, and what changes from day to
 * day. Orders change at 08:00. @returns 0 to 1, the same for the same seed, canal and time.
 */
export function demandShare(canal: string, seed: number, t: number): number {
  const day = waterDay(t)
  const season = seasonShare(day)
  if (season === 0) return 0
  const turn = (day / ROTATION_DAYS + unit(seed, canal, 'turn')) % 1
  const served = turn < SERVED_SHARE ? 1 : RESTING_SHARE
  return Math.min(1, season * served * (1 + 0.15 * swing(seed, canal, 'day', day)))
}

/**
 * How far the calendar of a demo must be moved, in ms (a whole number of days), so that `now` lies in a season: 0 where it does. A dispatcher
 * who tries the system in January must see water.
 */
export function shiftIntoSeason(now: number): number {
  if (seasonShare(waterDay(now)) >= 0.4) return 0
  const today = waterDay(now)
  const year = new Date(now).getUTCFullYear()
  const wanted = [year - 1, year].map((y) => dayOfYear(y, HEIGHT_OF_SEASON)).filter((day) => day <= today)
  return ((wanted.at(-1) ?? today) - today) * DAY_MS
}
