import { type Site, type Structure, staleAfterMs } from '#contract/district.ts'
import type { LedgerEntry } from '#contract/http/ledger.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { History } from '#history/port.ts'
import { ESTIMATED_BEYOND_MS } from '#history/slice.ts'
import type { ImportRow } from '#registry/imports.ts'
import type { Registry } from '#registry/port.ts'

type Deps = { readonly history: Pick<History, 'latest' | 'samples'>; readonly registry: Pick<Registry, 'gaps' | 'corrections' | 'imports'> }
type Span = { readonly from: UnixMs; readonly to: UnixMs }

/** A reading this much older than its arrival was not live, whatever the link's delay. */
const LATE_BEYOND_MS = 60_000

/**
 * How the readings of a site came: live, late, lost, corrected, or not at all. Live and late are told from the receive times that history keeps
 * beside every value, so they are as durable as the data and stay when a backlog has arrived; what was lost, the agent has told.
 */
export async function ledgerOf(
  deps: Deps,
  site: Site,
  asked: Span & { readonly structures: readonly Structure[] },
): Promise<LedgerEntry[]> {
  const { structures, from, to } = asked
  const gates = structures.map((s) => s.id)
  const entries: LedgerEntry[] = []
  const apart = Math.max(staleAfterMs(site.report_interval_ms), ESTIMATED_BEYOND_MS)
  const late = Math.max(staleAfterMs(site.report_interval_ms), LATE_BEYOND_MS)
  const imports = await deps.registry.imports.of(gates, { from, to })
  const latest = await deps.history.latest(gates)
  for (const gate of gates) {
    const metrics = latest.filter((s) => s.gate === gate).map((s) => s.metric)
    const witness = metrics.includes('level_up') ? 'level_up' : metrics[0]
    const came =
      witness === undefined
        ? []
        : await arrivals(
            deps.history,
            { gate, metric: witness, from, to },
            { apart, late, imports: imports.filter((i) => i.gate === gate) },
          )
    entries.push(...came, ...absences(gate, came, { from, to, apart }))
  }
  for (const { structure, from: first, to: last, readings, why } of await deps.registry.gaps.lost(site.id, { from, to })) {
    entries.push({ kind: 'lost', gate: structure, from: first, to: last, readings, received_from: null, received_to: null, note: why })
  }
  for (const c of await deps.registry.corrections.inForce({ gates, from, to })) {
    const note = `${c.metric}: ${c.reason} (${c.by})`
    entries.push({ kind: 'corrected', gate: c.gate, from: c.from, to: c.to, readings: null, received_from: c.at, received_to: c.at, note })
  }
  return entries.toSorted((a, b) => a.from - b.from || a.to - b.to)
}

async function arrivals(
  history: Pick<History, 'samples'>,
  query: Span & { gate: string; metric: string },
  limits: { apart: number; late: number; imports: readonly ImportRow[] },
): Promise<LedgerEntry[]> {
  const { gate, metric, from, to } = query
  const found: LedgerEntry[] = []
  // An import gives all of its samples one time of receipt, by which they are known.
  const importAt = new Map(limits.imports.map((i) => [i.at, i]))
  for await (const { t, received } of history.samples({ gate, metrics: [metric], from, to })) {
    const imported = importAt.get(received)
    const kind = imported ? 'imported' : received - t > limits.late ? 'late' : 'live'
    const note = imported ? `${imported.file} (${imported.by})` : ''
    const last = found.at(-1)
    if (last && last.kind === kind && last.note === note && t - last.to <= limits.apart) {
      last.to = t
      last.readings = (last.readings ?? 0) + 1
      last.received_from = Math.min(last.received_from ?? received, received)
      last.received_to = Math.max(last.received_to ?? received, received)
    } else found.push({ kind, gate, from: t, to: t, readings: 1, received_from: received, received_to: received, note })
  }
  return found
}

function absences(gate: string, came: readonly LedgerEntry[], { from, to, apart }: Span & { apart: number }): LedgerEntry[] {
  const missing = (start: number, end: number): LedgerEntry[] =>
    end - start > apart
      ? [{ kind: 'missing', gate, from: unixMs(start), to: unixMs(end), readings: 0, received_from: null, received_to: null, note: '' }]
      : []
  const found: LedgerEntry[] = []
  let known: number = from
  for (const entry of came) {
    found.push(...missing(known, entry.from))
    known = Math.max(known, entry.to)
  }
  return [...found, ...missing(known, to)]
}
