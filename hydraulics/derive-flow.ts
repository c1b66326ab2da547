import type { Structure } from '#contract/district.ts'
import { type FlowMethod, flowMethodAt } from '#contract/flow-method.ts'
import { openingOfLeaf } from '#contract/metrics.ts'
import { bad, good, type Reading } from '#contract/reading.ts'
import { type Metres, metres, unixMs } from '#contract/units.ts'
import type { Verdict, VerdictCause } from '#contract/verdict.ts'
import type { FlowFlag } from './discharge.ts'
import { hydraulicsOf } from './of-structure.ts'
import { type StructureFlow, structureFlow } from './structure-flow.ts'

/** A reading with what was judged of it. */
type Input = { readonly reading: Reading; readonly verdict?: Verdict }
/** The newest sample of a metric at or before the time asked for, where there is one that still holds then. */
export type InputAt = (metric: string) => Input | undefined

export type Derived = { readonly reading: Reading; readonly verdict?: Verdict; readonly result: StructureFlow; readonly method: FlowMethod }

/** All metrics that any method derives a structure's flow from: when one of them is told the flow is derived. */
export const flowInputs = (structure: Structure): string[] => [
  'level_up',
  'level_down',
  ...Array.from({ length: structure.leaves }, (_, i) => openingOfLeaf(i + 1)),
]

function inputsOf(structure: Structure, { formula }: FlowMethod): string[] {
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
  const values = new Map<string, Metres | null>()
  for (const metric of inputsOf(structure, method)) {
    const input = inputAt(metric)
    if (input) values.set(metric, usable(input))
    // A weir or flume without a gauge below is taken to run free.
    else if (gated || metric === 'level_up') return undefined
  }
  const down = values.get('level_down')
  const result = structureFlow(hydraulicsOf(structure, method), {
    at: unixMs(t),
    up: values.get('level_up') ?? null,
    ...(down !== undefined && { down }),
    ...(gated && { openings: Array.from({ length: structure.leaves }, (_, i) => values.get(openingOfLeaf(i + 1)) ?? null) }),
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
