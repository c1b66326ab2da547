import { leafOfOpening, metricOf } from '#contract/metrics.ts'
import type { BothNames } from '../i18n/i18n.ts'

/** A metric's name for people; the bare name where the catalogue does not know it. @param leaves of the structure: where there are several, each is numbered */
export function metricLabel(metric: string, leaves: number): BothNames {
  if (leaves > 1 && leafOfOpening(metric) === 1) return { zh: '1号闸门开度', en: 'Leaf 1 opening' }
  return metricOf(metric)?.label ?? { zh: metric, en: metric }
}
