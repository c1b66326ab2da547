import type { Structure } from '#contract/district.ts'
import { type FlowMethod, flowMethodAt } from '#contract/flow-method.ts'
import { openingOfLeaf } from '#contract/metrics.ts'
import { bad, good, type Reading } from '#contract/reading.ts'
import { type Metres, metres, unixMs } from '#contract/units.ts'
import type { Verdict, VerdictCause } from '#contract/verdict.ts'
import type { FlowFlag } from './discharge.ts'
import { hydraulicsOf } from './of-structure.ts'
import { type StructureFlow, type StructureHydraulics, structureFlow } from './structure-flow.ts'

/** A reading with what was judged of it. */
type Input = { readonly reading: Reading; readonly verdict?: Verdict }
/** The newest sample of a metric at or before the time asked for, where there is one that still holds then. */
export type InputAt = (metric: string) => Input | undefined

export type Derived = { readonly reading: Reading; readonly verdict?: Verdict; readonly result: StructureFlow; readonly method: FlowMethod }

/** All metrics that any method derives a structure's flow from: when one of them is told the flow is derived. */
export function flowInputs(structure: Structure): readonly string[] {
  const known = INPUTS.get(structure)
  if (known) return known
  const inputs = ['level_up', 'level_down', ...openingsOf(structure)]
  INPUTS.set(structure, inputs)
  return inputs
}

const openingsOf = (structure: Structure): string[] => Array.from({ length: structure.leaves }, (_, i) => openingOfLeaf(i + 1))

/** The same for all readings of a structure; the registry's next reading makes another object of it. */
const INPUTS = new WeakMap<Structure, readonly string[]>()
const HYDRAULICS = new WeakMap<FlowMethod, { readonly structure: Structure; readonly made: StructureHydraulics }>()

function keptHydraulics(structure: Structure, method: FlowMethod): StructureHydraulics {
  const known = HYDRAULICS.get(method)
  if (known?.structure === structure) return known.made
  const made = hydraulicsOf(structure, method)
  HYDRAULICS.set(method, { structure, made })
  return made
}

function inputsOf(structure: Structure, { formula }: FlowMethod): readonly string[] {
  switch (formula.kind) {
    case 'sluice':
    case 'radial':
      return flowInputs(structure)
    case 'broad-crested':
    case 'sharp-crested':
    case 'v-notch':
    case 'parshall':
      return ['level_up', 'level_down']
    case 'channel':
    case 'rated':
      return ['level_up']
  }
}

/**
 * The flow through a structure at one time, from the levels and openings that held then. Undefined where an input has not been heard of:
 * then nothing can be said, which is not the same as BAD. An input that is BAD, STALE or unreliable makes the flow BAD.
 */
export function deriveFlow(structure: Structure, methods: readonly FlowMethod[], t: number, inputAt: InputAt): Derived | undefined {
  const method = flowMethodAt(methods, structure.id, t)
  const gated = method.formula.kind === 'sluice' || method.formula.kind === 'radial'
  let up: Metres | null = null
  let down: Metres | null | undefined
  const openings: (Metres | null)[] = []
  for (const metric of inputsOf(structure, method)) {
    const input = inputAt(metric)
    // A weir or flume without a gauge below is taken to run free.
    if (!input && (gated || metric === 'level_up')) return undefined
    if (!input) continue
    if (metric === 'level_up') up = usable(input)
    else if (metric === 'level_down') down = usable(input)
    else openings.push(usable(input))
  }
  const result = structureFlow(keptHydraulics(structure, method), {
    at: unixMs(t),
    up,
    ...(down !== undefined && { down }),
    ...(gated && { openings }),
  })
  if (result.quality === 'bad') return { reading: bad(result.reason), result, method }
  const verdict = verdictOfFlags(result.flags)
  return { reading: good(result.flow), ...(verdict && { verdict }), result, method }
}

const usable = ({ reading, verdict }: Input): Metres | null =>
  reading.quality === 'good' && verdict?.level !== 'unreliable' ? metres(reading.value) : null

/** The gravest first. */
const CAUSES: readonly (readonly [FlowFlag, VerdictCause])[] = [
  ['reversed', 'reversed'],
  ['low_differential_head', 'low_head'],
  ['out_of_method_range', 'out_of_method'],
  ['near_regime_change', 'out_of_method'],
]

function verdictOfFlags(flags: readonly FlowFlag[]): Verdict | undefined {
  const found = CAUSES.find(([flag]) => flags.includes(flag))
  return found && { level: 'doubtful', cause: found[1] }
}
