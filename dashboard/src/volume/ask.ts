import type { LocationQuery } from 'vue-router'
import { HETAO_CALENDAR, PERIOD_STEPS, type PeriodStep, periodAt } from '#contract/periods.ts'
import { cubicMetres, type VolumeUnit, volumeIn } from '#hydraulics/volume-units.ts'

export const UNITS = ['m3', 'wan_m3', 'yi_m3', 'flow_day'] as const satisfies readonly VolumeUnit[]
export type Unit = (typeof UNITS)[number]
export const MOST_GATES = 6
export const FLOWS = ['flow', 'flow_derived'] as const

const DECIMALS: Readonly<Record<Unit, number>> = { m3: 0, wan_m3: 3, yi_m3: 5, flow_day: 2 }
/** How many periods are asked for where no dates are given, the running one with them. */
const PERIODS: Readonly<Record<PeriodStep, number>> = { hour: 25, day: 11, tenday: 7, month: 7, season: 5, year: 3 }

export const inUnit = (m3: number, unit: Unit): number => (unit === 'm3' ? m3 : volumeIn(unit, cubicMetres(m3)))
export const decimalsOf = (unit: Unit): number => DECIMALS[unit]

export type Span = { readonly from: number; readonly to: number }
/** The last periods up to now. On the default calendar; the table says from when to when each figure is. */
export function recentSpan(step: PeriodStep, now: number): Span {
  let { from } = periodAt(step, now, HETAO_CALENDAR)
  for (let n = 1; n < PERIODS[step]; n++) from = periodAt(step, from - 1, HETAO_CALENDAR).from
  return { from, to: Math.round(now) }
}

export const stepIn = (query: LocationQuery): PeriodStep => PERIOD_STEPS.find((s) => s === query['step']) ?? 'tenday'
export const unitIn = (query: LocationQuery): Unit => UNITS.find((u) => u === query['unit']) ?? 'wan_m3'
export const listIn = (query: LocationQuery, name: string): string[] => {
  const text = query[name]
  return typeof text === 'string' && text !== '' ? text.split(',').slice(0, 50) : []
}
export function spanIn(query: LocationQuery, step: PeriodStep, now: number): Span {
  const [from, to] = [Number(query['from'] ?? Number.NaN), Number(query['to'] ?? Number.NaN)]
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && from < to ? { from, to } : recentSpan(step, now)
}
