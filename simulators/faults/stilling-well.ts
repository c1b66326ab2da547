import type { UnixMs } from '#contract/units.ts'

/** The float's chamber beside the canal, joined to it by a pipe: the more silt in the pipe, the later its level. */
export class StillingWells {
  readonly #levels = new Map<string, { readonly t: UnixMs; readonly level: number }>()

  /**
   * @param well names it: the same name is the same well.
   * @param first where it stands when it is asked for the first time.
   * @returns the level in the well at `t`, in the unit of `water`: a first-order lag with this time constant. Asked again at the same time it is the same.
   */
  follow(
    well: string,
    { t, water, time_constant_s, first }: { t: UnixMs; water: number; time_constant_s: number; first: { t: UnixMs; level: number } },
  ): number {
    const before = this.#levels.get(well) ?? first
    const gone_s = Math.max(0, t - before.t) / 1000
    const level = water + (before.level - water) * Math.exp(-gone_s / time_constant_s)
    this.#levels.set(well, { t, level })
    return level
  }
}
