import { setTimeout as sleep } from 'node:timers/promises'
import { assertNever, Fault, messageOf } from '#contract/fault.ts'
import { readingOf } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { verdictOf } from '#contract/verdict.ts'
import type { History, Sample } from '#history/port.ts'
import type { RowBlock } from '#registry/copy.ts'
import type { Registry } from '#registry/port.ts'
import { type BackupBody, type BackupEnd, type BackupHead, readBackup, verifyBackup } from './backup-file.ts'

type Stores = { readonly registry: Registry; readonly history: History }

const SAMPLES_PER_WRITE = 10_000
const MOST_TRIES = 30

/**
 * Puts a backup into stores that hold nothing. The registry comes last and at once, so that a restore that was interrupted never looks like a whole one.
 * @throws Fault CONFLICT for stores that hold something, DATA_CORRUPT for a damaged file
 */
export async function restore({ registry, history }: Stores, from: string): Promise<{ head: BackupHead; end: BackupEnd }> {
  const { head, end } = await verifyBackup(from)
  await mustFit(registry, head)
  await mustBeEmpty({ registry, history })
  await putHistory(history, from)
  await registry.copy.restore(rowsIn(from))
  const details = { made_at: head.made_at, sha256: end.sha256 }
  await registry.audit.append({ at: Date.now(), who: 'sluice restore', action: 'backup.restore', subject: 'everything', details })
  return { head, end }
}

async function mustFit(registry: Registry, head: BackupHead): Promise<void> {
  const version = await registry.copy.version()
  if (version === head.registry_version) return
  throw new Fault(
    'CONFLICT',
    `this backup is of registry version ${head.registry_version} (Sluice ${head.sluice}), and this Sluice has version ${version}`,
    'restore it with the Sluice that made it, then start the new one: it brings the tables up to date',
  )
}

async function mustBeEmpty({ registry, history }: Stores): Promise<void> {
  const next = 'restore into empty stores: name a new folder or database, or empty these first'
  const table = await registry.copy.filled()
  if (table !== undefined) throw new Fault('CONFLICT', `the registry is not empty: its table ${table} holds rows`, next)
  const { gates } = await history.contents()
  if (gates.length > 0) throw new Fault('CONFLICT', `the history is not empty: it holds gate ${gates[0]}`, next)
}

async function putHistory(history: History, from: string): Promise<void> {
  let waiting: Sample[] = []
  for await (const body of readBackup(from)) {
    if (body.kind === 'roll-ups') {
      const { gate, metric, width, slices } = body
      await history.putRollUps({ gate, metric, width }, slices)
    }
    if (body.kind === 'samples') waiting.push(...samplesOf(body))
    if (waiting.length < SAMPLES_PER_WRITE) continue
    await keep(history, waiting)
    waiting = []
  }
  await keep(history, waiting)
  await history.rollUp(Date.now())
}

async function* rowsIn(from: string): AsyncGenerator<RowBlock> {
  for await (const body of readBackup(from)) {
    // The registry stands before the history.
    if (body.kind !== 'rows') return
    yield body
  }
}

/** Waits for a store that is away. @throws Fault where samples are refused: a restore that leaves some out is none. */
export async function keep(history: History, samples: readonly Sample[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    const outcome = await history.write(samples, { rewrite: false })
    switch (outcome.kind) {
      case 'kept':
        return
      case 'refused':
        throw new Fault(
          'CONFLICT',
          `the history refuses ${outcome.samples.length} samples (${outcome.reason})`,
          'see that it keeps data as old as these; empty it and restore again',
        )
      case 'unavailable':
        if (tries === MOST_TRIES)
          throw new Fault(
            'HISTORY_UNREACHABLE',
            `the history takes nothing (${messageOf(outcome.cause)})`,
            'see that it runs, empty it and restore again',
          )
        await sleep(outcome.retryAfterMs)
        break
      default:
        assertNever(outcome)
    }
  }
}

function samplesOf({ gate, metric, t, received, value, quality, verdict }: Extract<BackupBody, { kind: 'samples' }>): Sample[] {
  return t.map((at, i) => {
    const judged = verdictOf(verdict[i] ?? 0)
    const reading = readingOf(value[i] ?? null, quality[i] ?? 0)
    return { gate, metric, t: unixMs(at), received: unixMs(received[i] ?? at), reading, ...(judged && { verdict: judged }) }
  })
}
