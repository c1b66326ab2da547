import type { Structure } from '#contract/district.ts'
import { cubicMetresPerSecond, metres, type UnixMs } from '#contract/units.ts'
import { openingFor } from '#hydraulics/sluice-gate.ts'
import { designWater, type Water } from './canal/hydrostatics.ts'
import type { CanalModel } from './canal/model.ts'
import { type Motion, type Schedule, scheduledMotion } from './gate-leaf.ts'
import { unit } from './noise.ts'
import { waterAt } from './swinging-water.ts'

/** What a gate's controller stands in: water either side of it, and leaves that somebody moves until they are commanded. */
export type Surroundings = {
  water(t: UnixMs): Water
  /** How a leaf moves that nobody has commanded; leaf 0 is the first. */
  motion(leaf: number, t: UnixMs): Motion
  readonly speed_mm_s: number
  /** The leaf moves so from now on. */
  command(leaf: number, motion: Motion): void
}

/** A structure of the canal network: what one gate does, the next one sees. */
export function canalSurroundings(canals: CanalModel, structure: string): Surroundings {
  return {
    water: (t) => canals.water(structure, t),
    motion: (leaf, t) => {
      const motion = canals.motions(structure, t)[leaf]
      if (!motion) throw new Error(`${structure} has no leaf ${leaf + 1}`)
      return motion
    },
    speed_mm_s: canals.speedOf(structure),
    command: (leaf, motion) => canals.command(structure, leaf, motion),
  }
}

/** A structure by itself: a function of seed and time alone, so that it is the same in every process. */
export function swingingSurroundings(structure: Structure, seed: number): Surroundings {
  const schedules = schedulesOf(structure, seed)
  return {
    water: (t) => waterAt(structure, seed, t),
    motion: (leaf, t) => {
      const schedule = schedules[leaf]
      if (!schedule) throw new Error(`${structure.id} has no leaf ${leaf + 1}`)
      return scheduledMotion(schedule, t)
    },
    speed_mm_s: schedules[0]?.speed_mm_s ?? 0,
    // Nothing else feels it.
    command: () => undefined,
  }
}

/** Openings around which a structure's leaves are kept: those that pass between 0.4 and 0.66 of the design flow at the design levels. */
function schedulesOf(structure: Structure, seed: number): Schedule[] {
  const { up, down } = designWater(structure)
  const share = 0.4 + 0.26 * unit(seed, structure.id, 'share')
  const base = openingFor(cubicMetresPerSecond((share * structure.design_flow_m3s) / structure.leaves), {
    width: metres(structure.leaf_width_m),
    up: metres(up),
    down: metres(down),
    highest: metres(structure.leaf_height_m),
  })
  // 0.2 to 0.5 m/min is what leaf hoists do.
  const speed_mm_s = 3.3 + 5 * unit(seed, structure.id, 'speed')
  return Array.from({ length: structure.leaves }, (_, leaf) => ({
    id: structure.id,
    seed,
    leaf,
    base_mm: base * 1000,
    height_mm: Math.round(structure.leaf_height_m * 1000),
    speed_mm_s,
  }))
}
