import type { Priority } from '#contract/alarm.ts'

/** In a box of 12 × 12: a shape for each priority, so that colour is never alone. All are filled but the lowest, which is a ring. */
export const PRIORITY_SHAPE: Readonly<Record<Priority, string>> = {
  critical: 'M0 0h12v12H0z',
  high: 'M6 0l6 12H0z',
  medium: 'M6 0l6 6-6 6-6-6z',
  low: 'M6 1.5a4.5 4.5 0 1 0 .01 0z',
}
export const isRing = (priority: Priority): boolean => priority === 'low'
