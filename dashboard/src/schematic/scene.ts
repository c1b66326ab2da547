import type { Priority } from '#contract/alarm.ts'
import type { Condition } from '../situation/condition.ts'
import type { GateView } from './gate-view.ts'
import type { CanalLine, Mark } from './layout.ts'
import type { Palette } from './palette.ts'
import type { Plan } from './plan.ts'
import type { CanalTravel } from './travel.ts'
import type { Size, ViewBox } from './view-box.ts'

export type Words = {
  readonly structure: (mark: Mark) => string
  readonly canal: (line: CanalLine) => string
  readonly condition: (condition: Condition) => string
  readonly up: string
  readonly down: string
  readonly moving: string
  readonly hours: (hours: number) => string
}

/** What is drawn, and how it is looked at. The gates are asked when they are drawn. */
export type Scene = {
  readonly plan: Plan
  readonly view: ViewBox
  readonly screen: Size
  readonly pixelRatio: number
  readonly palette: Palette
  /** What gates and their figures are drawn with: pale when they are not live. */
  readonly ink: Palette
  readonly words: Words
  readonly gateOf: (id: string) => GateView | undefined
  /** Without its values: enough for a sign. */
  readonly conditionOf: (id: string) => Condition
  /** The worst alarm of a gate, and what it tells; null where there is none. */
  readonly alarmOf: (id: string) => { readonly priority: Priority; readonly what: string } | null
  readonly travelOf: (canal: string) => CanalTravel | null
  /** Until when a gate is tagged out, in words; null where it is not. */
  readonly tagOf: (id: string) => string | null
  readonly selected: () => string | null
}

/** The screen's own pixels for a unit of the drawing. */
export const pxPerUnit = ({ view, pixelRatio }: Scene): number => view.scale * pixelRatio
