import type { Structure } from '#contract/district.ts'
import { leafOfOpening } from '#contract/metrics.ts'
import type { VerdictRule } from '#contract/verdict-rule.ts'

/** What holds where nobody has set a rule: wide, from the structure's own table, so that a new district is not flooded with doubts. */
export function defaultRule(structure: Structure, metric: string): VerdictRule | undefined {
  const { sill_m, datum_m, design_level_up_m, design_level_down_m, design_flow_m3s, leaf_height_m } = structure
  const level = (design: number): VerdictRule => ({
    hard: [sill_m - datum_m - 3, design - datum_m + 5],
    soft: [sill_m - datum_m - 1, design - datum_m + 1.5],
    rise_per_min: 0.5,
    fall_per_min: 0.5,
    frozen_min: 24 * 60,
    spike: 0.5,
  })
  if (metric === 'level_up') return level(design_level_up_m)
  if (metric === 'level_down') return level(Math.max(design_level_down_m, design_level_up_m))
  if (leafOfOpening(metric) !== undefined) return { hard: [-0.05, leaf_height_m + 1], soft: [-0.02, leaf_height_m + 0.3] }
  if (metric === 'flow') {
    return { hard: [-2 * design_flow_m3s, 4 * design_flow_m3s], soft: [-0.1 * design_flow_m3s, 1.5 * design_flow_m3s], derived_share: 0.5 }
  }
  return undefined
}
