import type { Canal } from '#contract/district.ts'
import type { GateSignal } from '../live/gates.ts'
import type { Listed } from './arrange.ts'

export type ListedGate = Listed & { readonly signal: GateSignal }

/** Discharge over design discharge, null when the flow is not known. */
export function shareOf(signal: GateSignal): number | null {
  const flow = signal.state.value?.metrics['flow']?.v ?? null
  return flow === null ? null : flow / signal.gate.design_flow_m3s
}

export function listedGate(signal: GateSignal, place: number, canals: ReadonlyMap<string, Canal>): ListedGate {
  const { gate, verdict } = signal
  const canal = canals.get(gate.canal)
  return {
    id: gate.id,
    name: gate.name,
    area: gate.area,
    words: `${gate.canal} ${canal?.name.zh ?? ''} ${canal?.name.en ?? ''} ${gate.site}`,
    place,
    condition: verdict.value.condition,
    share: shareOf(signal),
    newest: verdict.value.newest,
    signal,
  }
}
