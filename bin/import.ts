import { once } from 'node:events'
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { basename } from 'node:path'
import type { Logger } from 'pino'
import { CsvReader, type CsvRow } from '#api/analysis/csv.ts'
import { Fault, messageOf } from '#contract/fault.ts'
import { drawable, good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { addSpan, DAY_MS } from '#history/cells.ts'
import type { History, Sample } from '#history/port.ts'
import type { Registry } from '#registry/port.ts'
import { type ImportMapping, readMapping } from './import-mapping.ts'
import { type Found, type Refusal, rowReader } from './import-rows.ts'
import { keep } from './restore.ts'
import { type StoreSettings, withStores } from './stores.ts'

export type ImportOptions = { readonly file: string; readonly mapping: string; readonly refused?: string }
type Stores = { readonly registry: Registry; readonly history: History }
type ImportReport = { rows: number; added: number; there: number; blank: number; refused: number; readonly first: Refusal[] }

const FOUND_AT_ONCE = 20_000
const SHOWN = 20
const BY = 'sluice import'

export const runImport = (settings: StoreSettings, options: ImportOptions, log: Logger): Promise<string> =>
  withStores(settings, log, (stores) => importFile(stores, options))

/** @returns the report. */
export async function importFile(stores: Stores, options: ImportOptions): Promise<string> {
  const mapping = readMapping(options.mapping)
  const out = options.refused === undefined ? undefined : createWriteStream(options.refused)
  if (out) await once(out, 'open')
  out?.write('line,column,reason\n')
  try {
    return reportText(await importCsv(stores, options.file, mapping, out), options)
  } finally {
    if (out) {
      const closed = once(out, 'close')
      out.end()
      await closed
    }
  }
}

/** Reads a file into history, a block of rows at a time. What stands there already is not touched: raw data is never overwritten. */
async function importCsv(
  { registry, history }: Stores,
  file: string,
  mapping: ImportMapping,
  out: WriteStream | undefined,
): Promise<ImportReport> {
  const at = Date.now()
  const report: ImportReport = { rows: 0, added: 0, there: 0, blank: 0, refused: 0, first: [] }
  const refuse = async (refusals: readonly Refusal[]): Promise<void> => {
    report.refused += refusals.length
    report.first.push(...refusals.slice(0, SHOWN - report.first.length))
    const text = refusals.map((r) => `${[r.line, r.column, r.reason].map(csvCell).join(',')}\n`).join('')
    if (out && text !== '' && !out.write(text)) await once(out, 'drain')
  }
  const settle = async (block: readonly Found[]): Promise<void> => {
    const { fresh, there, refused } = await sortOut(history, block)
    report.there += there
    await refuse(refused)
    // Told before it is written: the ledger never calls late what a file has brought.
    for (const [gate, found] of byGate(fresh)) {
      const from = found.reduce((least, f) => Math.min(least, f.t), Number.POSITIVE_INFINITY)
      const to = found.reduce((most, f) => Math.max(most, f.t), 0)
      await registry.imports.record({ gate, at, from, to, samples: found.length, file: basename(file), by: BY })
    }
    await keep(
      history,
      fresh.map(({ gate, metric, t, value }): Sample => ({ gate, metric, t: unixMs(t), received: unixMs(at), reading: good(value) })),
    )
    report.added += fresh.length
  }

  const gates = new Set((await registry.district.structures()).map((s) => s.id))
  let read: ReturnType<typeof rowReader> | undefined
  let block: Found[] = []
  for await (const row of rowsOf(file, mapping)) {
    if (!read) {
      read = rowReader(mapping, row.cells, { gates, now: at })
      continue
    }
    report.rows++
    const { found, refused, blank } = read(row)
    report.blank += blank
    await refuse(refused)
    block.push(...found)
    if (block.length < FOUND_AT_ONCE) continue
    await settle(block)
    block = []
  }
  if (block.length > 0) await settle(block)
  // Also after nothing new: an import that was interrupted may have left windows to build.
  await history.rollUp(Date.now())
  if (report.added > 0) {
    const { first: _first, ...details } = report
    await registry.audit.append({ at: Date.now(), who: BY, action: 'history.import', subject: basename(file), details })
  }
  return report
}

/** Parts what is new from what stands in history already, or in an earlier line: the same value is there, another one is refused. */
async function sortOut(history: History, block: readonly Found[]): Promise<{ fresh: Found[]; there: number; refused: Refusal[] }> {
  const known = new Map<string, number | null>()
  const keyOf = (of: { gate: string; metric: string; t: number }): string => `${of.gate} ${of.metric} ${of.t}`
  for (const [gate, found] of byGate(block)) {
    const metrics = [...new Set(found.map((f) => f.metric))]
    const wanted = new Set(found.map(keyOf))
    for (const { from, to } of daysOf(found))
      for await (const sample of history.samples({ gate, metrics, from: unixMs(from), to: unixMs(to) }))
        if (wanted.has(keyOf(sample))) known.set(keyOf(sample), drawable(sample.reading))
  }
  const fresh: Found[] = []
  const refused: Refusal[] = []
  let there = 0
  for (const found of block) {
    const key = keyOf(found)
    const value = known.get(key)
    if (value === undefined) {
      known.set(key, found.value)
      fresh.push(found)
    } else if (value === found.value) there++
    else {
      const stands = value === null ? 'a reading without a value' : String(value)
      const reason = `${found.value} for ${found.metric} of ${found.gate}: ${stands} is there for that time, and stays`
      refused.push({ line: found.line, column: found.metric, reason })
    }
  }
  return { fresh, there, refused }
}

function byGate(found: readonly Found[]): Map<string, Found[]> {
  const gates = new Map<string, Found[]>()
  for (const one of found) {
    const known = gates.get(one.gate)
    if (known) known.push(one)
    else gates.set(one.gate, [one])
  }
  return gates
}

/** Whole days of UTC that hold a row, those that follow one another as one span. */
function daysOf(found: readonly Found[]): { from: number; to: number }[] {
  const days = [...new Set(found.map((f) => f.t - (f.t % DAY_MS)))].toSorted((a, b) => a - b)
  const spans: { from: number; to: number }[] = []
  for (const from of days) addSpan(spans, { from, to: from + DAY_MS })
  return spans
}

async function* rowsOf(file: string, { encoding, separator }: ImportMapping): AsyncGenerator<CsvRow> {
  const reader = new CsvReader(separator)
  for await (const text of textOf(file, encoding)) yield* reader.push(text)
  yield* reader.end()
}

async function* textOf(file: string, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  try {
    for await (const chunk of createReadStream(file)) yield decoder.decode(chunk as Buffer, { stream: true })
    yield decoder.decode()
  } catch (cause) {
    const next = 'name the file, and in the mapping its encoding'
    throw new Fault('BAD_REQUEST', `${file} can't be read as ${encoding} (${messageOf(cause)})`, next, { cause })
  }
}

const csvCell = (cell: string | number): string => (/[",\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell))

function reportText(report: ImportReport, { file, refused }: ImportOptions): string {
  const head = `${file}: ${report.rows} rows: ${report.added} values taken, ${report.there} there already, ${report.blank} blank, ${report.refused} refused\n`
  const lines = report.first.map((r) => `  line ${r.line}, ${r.column}: ${r.reason}\n`)
  const more = report.refused - report.first.length
  if (more > 0) lines.push(`  and ${more} more${refused === undefined ? '; --refused FILE writes them all' : ''}\n`)
  return head + lines.join('')
}
