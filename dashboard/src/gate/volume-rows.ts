import type { VolumePeriod } from '#contract/http/volume.ts'

/** Below it a volume is told with a mark: the standard asks for nine tenths of the time. */
export const ENOUGH = 0.9

export type VolumeRow = {
  readonly period: VolumePeriod
  /** 0: the period that is running; 1: the one before; … */
  readonly ago: number
  readonly enough: boolean
}

/** Whole periods and the running one, the newest first; a period that was cut at the start of the question is left out. */
export function volumeRows(periods: readonly VolumePeriod[], askedFrom: number): VolumeRow[] {
  return periods
    .filter((p) => p.from > askedFrom)
    .toReversed()
    .map((period, ago) => ({ period, ago, enough: period.completeness >= ENOUGH }))
}
