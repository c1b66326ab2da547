import { LEDGER_KINDS, type LedgerEntry } from '#contract/http/ledger.ts'

type Kind = LedgerEntry['kind']

/** Readings by how they came, kinds that did not occur left out. */
export function sharesOf(entries: readonly LedgerEntry[]): { kind: Kind; readings: number }[] {
  const counted: readonly Kind[] = ['live', 'late', 'imported', 'lost']
  return counted.flatMap((kind) => {
    const own = entries.filter((e) => e.kind === kind)
    return own.length === 0 ? [] : [{ kind, readings: own.reduce((n, e) => n + (e.readings ?? 0), 0) }]
  })
}

/** What is not the ordinary day, the newest first. */
export const notableEntries = (entries: readonly LedgerEntry[]): LedgerEntry[] =>
  entries
    .filter((e) => e.kind !== 'live')
    .toSorted((a, b) => b.from - a.from || LEDGER_KINDS.indexOf(a.kind) - LEDGER_KINDS.indexOf(b.kind))
