import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { drawable, qualityCode } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { verdictCode } from '#contract/verdict.ts'
import { VERSION } from '#contract/version.ts'
import { DAY_MS, WIDTHS } from '#history/cells.ts'
import type { History, Sample } from '#history/port.ts'
import type { Registry } from '#registry/port.ts'
import { type BackupCounts, BackupWriter } from './backup-file.ts'

export type Backup = { readonly path: string; readonly counts: BackupCounts; readonly sha256: string }
type Stores = { readonly registry: Registry; readonly history: History }

const SAMPLES_PER_LINE = 2000
const SLICES_PER_LINE = 500
/** Beyond any sample that ingest takes. */
const END = unixMs(8.64e15)

/**
 * Writes registry and history to a file. The registry is as it was at one moment; every sample received before that moment is in it, and of those that
 * come meanwhile each is there whole or not at all.
 * @param to a file that is not there yet, or a folder.
 */
export async function backUp({ registry, history }: Stores, to: string): Promise<Backup> {
  const now = Date.now()
  const path = fileFor(to, now)
  const registry_version = await registry.copy.version()
  const writer = await BackupWriter.open(path, { sluice: VERSION, registry_version, made_at: now })
  try {
    await registry.audit.append({ at: now, who: 'sluice backup', action: 'backup.make', subject: basename(path), details: {} })
    await registry.copy.read(({ table, rows }) => writer.add({ kind: 'rows', table, rows: [...rows] }))
    const { gates, metrics } = await history.contents()
    for (const gate of gates)
      for (const metric of metrics) {
        const first = await addSamples(writer, history, { gate, metric })
        // Samples are given up by whole days of UTC: what is rolled up from the first one's day on can be built of samples again.
        await addRollUps(writer, history, { gate, metric, before: first === undefined ? now + DAY_MS : first - (first % DAY_MS) })
      }
    return { path, counts: writer.counts, sha256: await writer.finish() }
  } catch (error) {
    await writer.abandon()
    throw error
  }
}

/** @returns the time of the first sample. */
async function addSamples(writer: BackupWriter, history: History, of: { gate: string; metric: string }): Promise<number | undefined> {
  let first: number | undefined
  const query = { gate: of.gate, metrics: [of.metric], from: unixMs(0), to: END }
  for await (const block of inBlocks(history.samples(query), SAMPLES_PER_LINE)) {
    first ??= block[0]?.t
    await writer.add({ kind: 'samples', ...of, ...columnsOf(block) })
  }
  return first
}

async function addRollUps(
  writer: BackupWriter,
  history: History,
  { before, ...of }: { gate: string; metric: string; before: number },
): Promise<void> {
  for (const width of WIDTHS)
    for await (const slices of inBlocks(history.rollUps({ ...of, width }, before), SLICES_PER_LINE))
      await writer.add({ kind: 'roll-ups', ...of, width, slices })
}

const columnsOf = (samples: readonly Sample[]) => ({
  t: samples.map((s) => s.t),
  received: samples.map((s) => s.received),
  value: samples.map((s) => drawable(s.reading)),
  quality: samples.map((s) => qualityCode(s.reading)),
  verdict: samples.map((s) => verdictCode(s.verdict)),
})

async function* inBlocks<T>(all: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let block: T[] = []
  for await (const one of all) {
    block.push(one)
    if (block.length < size) continue
    yield block
    block = []
  }
  if (block.length > 0) yield block
}

function fileFor(to: string, now: number): string {
  if (!statSync(to, { throwIfNoEntry: false })?.isDirectory()) return to
  return join(to, `sluice-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')}.backup.gz`)
}
