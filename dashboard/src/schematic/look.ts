import type { Priority } from '#contract/alarm.ts'
import type { Reading } from '#contract/reading.ts'
import { fixed } from '../display/number.ts'
import type { Condition } from '../situation/condition.ts'
import { type GateView, known } from './gate-view.ts'
import type { Mark } from './layout.ts'
import { BAY } from './plan.ts'

/** From this scale on the figures are legible as they are; below, fewer of them are drawn larger; then only signs. */
export const FULL_SCALE = 0.8
const BRIEF_SCALE = 0.36
export type Detail = 'full' | 'brief' | 'sign'
export const detailAt = (scale: number): Detail => (scale >= FULL_SCALE ? 'full' : scale >= BRIEF_SCALE ? 'brief' : 'sign')

export type Figure = { readonly text: string; readonly stale: boolean }
/** Heights in units of the drawing, by whole px of the screen: what can't be seen to change is not drawn anew. */
export type GateLook = {
  readonly up: number
  readonly down: number
  /** How far each leaf is open; null where that is not known. */
  readonly leaves: readonly (number | null)[]
}

/** A value of two decimals with its unit; in brackets when it is old: told without colour. */
export function figureOf(reading: Reading | undefined, unit: 'm' | 'm³/s'): Figure {
  if (reading === undefined || reading.quality === 'bad') return { text: unit === 'm' ? '✕' : `✕ ${unit}`, stale: false }
  const text = `${fixed(reading.value, 2)} ${unit}`
  const stale = reading.quality === 'stale'
  return { text: stale ? `(${text})` : text, stale }
}

const LEAST_OPEN_M = 0.005
/** @param pxPerUnit of the screen's own pixels */
export function gateLook({ structure }: Mark, gate: GateView | undefined, pxPerUnit: number): GateLook {
  const height_m = Math.max(0.1, structure.design_level_up_m - structure.sill_m)
  const toPx = (height: number): number => Math.round(height * pxPerUnit) / pxPerUnit
  const heightOf = (value: number | null): number => (value === null ? 0 : Math.min(1, Math.max(0, value / (height_m * 1.15))) * BAY.height)
  return {
    up: toPx(heightOf(known(gate?.up))),
    down: toPx(heightOf(known(gate?.down))),
    leaves: (gate?.leaves ?? []).map(({ reading }) => {
      if (!reading || reading.quality === 'bad') return null
      return reading.value > LEAST_OPEN_M ? toPx(Math.max(2, heightOf(reading.value))) : 0
    }),
  }
}

/** What of a mark is drawn apart: each is drawn anew when its own text differs. */
export type Keys = { readonly face: string; readonly figures: string; readonly gate: string }

export type Marked = {
  readonly gate: GateView | undefined
  readonly condition: Condition
  readonly tag: string | null
  readonly alarm: { readonly priority: Priority; readonly what: string } | null
  readonly selected: boolean
}
export function keysOf(mark: Mark, { gate, condition, tag, alarm, selected }: Marked, at: { detail: Detail; pxPerUnit: number }): Keys {
  const face = `${condition}|${selected}|${gate?.moving === true}|${tag ?? ''}|${alarm?.priority ?? ''}|${alarm?.what ?? ''}`
  // Signs tell nothing else.
  if (at.detail === 'sign') return { face, figures: '', gate: '' }
  const flow = figureOf(gate?.flow, 'm³/s').text
  const { up, down, leaves } = gateLook(mark, gate, at.pxPerUnit)
  return {
    face,
    figures: at.detail === 'brief' ? flow : `${figureOf(gate?.up, 'm').text}|${figureOf(gate?.down, 'm').text}|${flow}`,
    gate: `${up}|${down}|${leaves.join()}`,
  }
}
