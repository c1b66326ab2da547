import { pino } from 'pino'
import { expect, test } from 'vitest'
import { batchId } from '#contract/batch.ts'
import { Fault } from '#contract/fault.ts'
import { good, type Reading } from '#contract/reading.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { JournalEntry } from './journal.ts'
import { Keeper } from './keep.ts'
import { Newest } from './newest.ts'
import { Exceptions } from './report/exception.ts'

const readings: ReadonlyMap<string, Reading> = new Map([['level_up', good(1.2)]])
const read = { structure: 's', t: unixMs(1010), readings, bus: 'b', gridTime: unixMs(1000) }

function keeperOn(append: (t: UnixMs) => Promise<{ t: UnixMs; batch: ReturnType<typeof batchId> }>) {
  const entries: JournalEntry[] = []
  const offered: unknown[] = []
  const newest = new Newest()
  const lastRead = new Newest()
  const watched: string[] = []
  const keeper = new Keeper({
    lastRead,
    exceptions: new Exceptions(() => ({ deadband: 0.01, deadband_percent: undefined, silence_ms: 60_000, median_reads: 1 })),
    haste: { watch: (bus, structure) => watched.push(`${bus} ${structure}`) },
    stamper: { keep: (_device, t) => append(t) },
    journal: { write: (entry) => entries.push(entry), close: () => undefined },
    newest,
    sender: { offer: (_device, offer) => offered.push(offer) },
    log: pino({ level: 'silent' }),
  })
  return { keeper, entries, offered, newest, lastRead, watched }
}

test('nothing is shown or journaled before the disk has it, and then under the time that the disk gave', async () => {
  let confirm = (): void => undefined
  const synced = new Promise<void>((resolve) => {
    confirm = resolve
  })
  const k = keeperOn(async (t) => {
    await synced
    return { t: unixMs(t + 5), batch: batchId(1, 2) }
  })
  const keeping = k.keeper.keep(read)
  await Promise.resolve()
  expect([k.entries, k.offered]).toEqual([[], []])
  confirm()
  await keeping
  expect(k.entries).toEqual([{ structure: 's', t: 1015, readings: { level_up: good(1.2) } }])
  expect(k.offered).toEqual([{ t: 1015, readings, batch: batchId(1, 2) }])
  expect(k.newest.of('s').get('level_up')).toEqual({ t: 1015, reading: good(1.2) })
  expect(k.keeper.counts).toEqual({ kept: 1, not_kept: 0, missed_cycles: 0 })
})

test('what a full disk does not take is counted and journaled as missed, and shown all the same', async () => {
  const k = keeperOn(() => Promise.reject(new Fault('DISK_FULL', 'full', 'free space')))
  await k.keeper.keep(read)
  expect(k.entries).toEqual([{ missed: 1000, bus: 'b', structure: 's' }])
  expect(k.offered).toEqual([{ t: 1010, readings, batch: null }])
  k.keeper.missed('b', unixMs(6000))
  expect(k.keeper.counts).toEqual({ kept: 0, not_kept: 1, missed_cycles: 1 })
})

test('what the center knows within the deadband is not kept, but is at hand for who controls the gate', async () => {
  const k = keeperOn(async (t) => ({ t, batch: batchId(1, 2) }))
  await k.keeper.keep(read)
  await k.keeper.keep({ ...read, t: unixMs(6010), gridTime: unixMs(6000), readings: new Map([['level_up', good(1.209)]]) })
  expect(k.entries.at(-1)).toEqual({ structure: 's', t: 6010, readings: {} })
  expect(k.keeper.counts.kept).toBe(1)
  expect(k.offered).toHaveLength(1)
  expect(k.newest.of('s').get('level_up')).toEqual({ t: 1010, reading: good(1.2) })
  expect(k.lastRead.of('s').get('level_up')).toEqual({ t: 6010, reading: good(1.209) })
  expect(k.watched).toEqual(['b s', 'b s'])
})

test('what the disk did not take is news again with the next reading', async () => {
  let full = true
  const k = keeperOn((t) =>
    full ? Promise.reject(new Fault('DISK_FULL', 'full', 'free space')) : Promise.resolve({ t, batch: batchId(1, 2) }),
  )
  await k.keeper.keep(read)
  full = false
  await k.keeper.keep({ ...read, t: unixMs(6010), gridTime: unixMs(6000) })
  expect(k.keeper.counts).toEqual({ kept: 1, not_kept: 1, missed_cycles: 0 })
})
