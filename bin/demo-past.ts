import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { District } from '#contract/district.ts'
import { good } from '#contract/reading.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { History, Sample, WriteOutcome } from '#history/port.ts'
import type { Registry } from '#registry/port.ts'
import type { CanalModel } from '#simulators/canal/model.ts'
import { openCanals } from '#simulators/canal/open-canals.ts'
import { pastOf } from '#simulators/canal/past.ts'

const DAY_MS = 86_400_000
const BATCH_ROWS = 50_000
/** Batches that wait for the store, some tens of MB. */
const MOST_UNDER_WAY = 8
/** Stands in the gap ledger where an import names its file. */
const SIMULATED = '模拟 simulated'
const TOLD_EVERY_MS = 10_000

const Mark = Type.Object({ from: Type.Integer(), to: Type.Integer(), seed: Type.Integer(), whole: Type.Boolean() })

type Wanted = {
  readonly folder: string
  readonly seed: number
  readonly days: number
  readonly now: UnixMs
  readonly signal: AbortSignal
}

/**
 * The canals of the demo at `now`. The first start takes them through the days before and puts what the gates showed into history; a start that
 * was cut off is made good by the next one, which computes the same values again.
 * @returns the canals, and whether a past was stored now; undefined when `signal` aborted. @throws the store's cause when history does not take it
 */
export async function canalsWithPast(
  district: District,
  { history, registry }: { history: Pick<History, 'write' | 'latest'>; registry: Pick<Registry, 'imports'> },
  { folder, seed, days, now, signal }: Wanted,
): Promise<{ canals: CanalModel; wasStored: boolean } | undefined> {
  const file = join(folder, 'simulated-past.json')
  const before = readMark(file)
  const isNeeded = before ? !before.whole : days > 0 && (await history.latest(district.structures.map((s) => s.id))).length === 0
  if (!isNeeded) return { canals: openCanals(district, { seed, now }), wasStored: false }
  const span = before ?? { from: now - days * DAY_MS, to: now, seed, whole: false }
  writeMark(file, span)
  const started = performance.now()
  const totalDays = Math.round((span.to - span.from) / DAY_MS)
  process.stderr.write(`sluice: simulating the ${totalDays} days before now …\n`)
  let toldAt = started
  const stepped = (t: UnixMs): void => {
    if (performance.now() - toldAt < TOLD_EVERY_MS) return
    toldAt = performance.now()
    process.stderr.write(`sluice: … ${Math.floor((t - span.from) / DAY_MS)} of ${totalDays} days\n`)
  }
  const canals = openCanals(district, { seed: span.seed, now: unixMs(span.to), at: unixMs(span.from) })
  const counts = await store(pastOf(canals, district, { from: unixMs(span.from), to: unixMs(span.to) }), {
    history,
    received: unixMs(span.to),
    signal,
    stepped,
  })
  if (signal.aborted) return undefined
  // The gap ledger says of these readings that no sensor took them.
  for (const [gate, samples] of counts)
    await registry.imports.record({ gate, at: span.to, from: span.from, to: span.to, samples, file: SIMULATED, by: 'sluice demo' })
  writeMark(file, { ...span, whole: true })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const readings = [...counts.values()].reduce((a, b) => a + b, 0)
  process.stderr.write(`sluice: ${readings.toLocaleString('en')} simulated readings are in history, ${seconds} s\n`)
  canals.advance(now)
  return { canals, wasStored: true }
}

/** The store takes batches while the next ones are computed. @returns how many readings each gate has */
async function store(
  steps: ReturnType<typeof pastOf>,
  {
    history,
    received,
    signal,
    stepped,
  }: { history: Pick<History, 'write'>; received: UnixMs; signal: AbortSignal; stepped: (t: UnixMs) => void },
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  const underWay: Promise<WriteOutcome>[] = []
  const write = (samples: readonly Sample[]): void => {
    underWay.push(history.write(samples, { rewrite: true }))
  }
  let batch: Sample[] = []
  for (const step of steps) {
    for (const { gate, metric, t, value } of step) {
      batch.push({ gate, metric, t, received, reading: good(value) })
      counts.set(gate, (counts.get(gate) ?? 0) + 1)
    }
    if (step[0]) stepped(step[0].t)
    // The store's work goes on between two steps.
    await setImmediate()
    if (signal.aborted) break
    if (batch.length < BATCH_ROWS) continue
    write(batch)
    batch = []
    if (underWay.length > MOST_UNDER_WAY) expectKept(await underWay.shift())
  }
  if (!signal.aborted) write(batch)
  for (const outcome of await Promise.all(underWay)) expectKept(outcome)
  return counts
}

function expectKept(outcome: WriteOutcome | undefined): void {
  if (outcome?.kind === 'unavailable') throw outcome.cause
  if (outcome?.kind === 'refused') throw new Error(`history refused the simulated past: ${outcome.reason}`)
}

function readMark(file: string) {
  if (!existsSync(file)) return undefined
  const mark: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return Value.Check(Mark, mark) ? mark : undefined
}

/** Beside, then renamed: a mark is whole or not there. */
function writeMark(file: string, mark: { from: number; to: number; seed: number; whole: boolean }): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(mark)}\n`)
  renameSync(`${file}.new`, file)
}
