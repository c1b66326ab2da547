import { type Structure, staleAfterMs } from '#contract/district.ts'
import { DERIVED_FLOW } from '#contract/metrics.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { History, Sample } from '#history/port.ts'
import { deriveFlow, flowInputs } from '#hydraulics/derive-flow.ts'
import type { Registry } from '#registry/port.ts'

type Deps = { readonly history: Pick<History, 'samples' | 'write'>; readonly registry: Pick<Registry, 'flowMethods'> }

const SAMPLES_PER_WRITE = 5000

/**
 * Derives a structure's flow anew at each time of a span at which a level or an opening was read, by the method in force then, as ingest does when
 * they arrive. What was measured is not touched.
 * @param reportIntervalMs of the structure's site: a reading holds for three of them
 * @returns how many flows were derived. @throws the store's cause when history does not take them
 */
export async function deriveAnew(
  { history, registry }: Deps,
  structure: Structure,
  { from, to, reportIntervalMs }: { from: UnixMs; to: UnixMs; reportIntervalMs: number },
): Promise<number> {
  const coherentMs = staleAfterMs(reportIntervalMs)
  const methods = await registry.flowMethods.of(structure.id)
  const metrics = flowInputs(structure)
  const newest = new Map<string, Sample>()
  let derived: Sample[] = []
  let count = 0
  const flowAt = (t: UnixMs): void => {
    if (t < from) return
    const held = (metric: string): Sample | undefined => {
      const sample = newest.get(metric)
      return sample && t - sample.t <= coherentMs ? sample : undefined
    }
    const flow = deriveFlow(structure, methods, t, held)
    if (!flow) return
    const received = unixMs(Math.max(...metrics.map((m) => held(m)?.received ?? 0)))
    const { reading, verdict } = flow
    derived.push({ gate: structure.id, metric: DERIVED_FLOW, t, received, reading, rewrites: true, ...(verdict && { verdict }) })
  }
  const write = async (): Promise<void> => {
    const outcome = derived.length === 0 ? null : await history.write(derived, { rewrite: true })
    if (outcome?.kind === 'unavailable') throw outcome.cause
    if (outcome?.kind === 'refused') throw new Error(`history refused derived flows of ${structure.id}: ${outcome.reason}`)
    count += derived.length
    derived = []
  }
  let at: UnixMs | null = null
  for await (const sample of history.samples({ gate: structure.id, metrics, from: unixMs(Math.max(0, from - coherentMs)), to })) {
    if (at !== null && sample.t !== at) {
      flowAt(at)
      if (derived.length >= SAMPLES_PER_WRITE) await write()
    }
    newest.set(sample.metric, sample)
    at = sample.t
  }
  if (at !== null) flowAt(at)
  await write()
  return count
}
