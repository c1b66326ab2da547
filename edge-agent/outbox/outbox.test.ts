import { closeSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { type BatchId, batchId, counterOf, epochOf } from '#contract/batch.ts'
import type { LostRecord } from '#contract/lost.ts'
import { BAD_REASONS, type BadReason, bad, good, type Reading, stale } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { tempFolder, until } from '#test/support/servers.ts'
import { type Batch, Outbox } from './outbox.ts'
import { decodeRecord, encodeRecord } from './record.ts'

const log = pino({ level: 'silent' })
const MiB = 1_048_576
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function folder(): string {
  const path = tempFolder('outbox')
  closers.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}
type Options = { max_bytes?: number; max_age_ms?: number; clockIsSure?: () => boolean; elapsed?: () => number; devices?: string[] }
async function openOutbox(path: string, options: Options = {}): Promise<Outbox> {
  const { devices = ['a', 'b'], ...own } = options
  const outbox = await Outbox.open({ path, max_bytes: 64 * MiB, log, ...own })
  for (const device of devices) await outbox.aliases.claim(device, ['Outbox/Batch', 'level_up', 'flow'])
  return outbox
}
const level = (value: number): ReadonlyMap<string, Reading> => new Map([['level_up', good(value)]])
const t = (n: number) => unixMs(1_700_000_000_000 + n)
const takeOldest = async (outbox: Outbox): Promise<Batch | undefined> => (await outbox.take('backlog')) ?? (await outbox.take('present'))
async function takeAll(outbox: Outbox): Promise<Batch[]> {
  const batches: Batch[] = []
  for (let b = await takeOldest(outbox); b; b = await takeOldest(outbox)) batches.push(b)
  return batches
}
const valuesOf = (batches: readonly Batch[]): number[] =>
  batches.flatMap((b) => b.samples.map((s) => s.readings.get('level_up'))).map((r) => (r?.quality === 'good' ? r.value : Number.NaN))

test('a record comes back from the disk as it was, and a damaged one does not come back', () => {
  const value = fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => v + 0)
  const reading = fc.oneof(value.map(good), value.map(stale), fc.constantFrom(...(Object.keys(BAD_REASONS) as BadReason[])).map(bad))
  const record = fc.record({
    device: fc.string({ minLength: 1 }),
    t: fc.integer({ min: 0, max: 4e12 }).map(unixMs),
    readings: fc.array(fc.tuple(fc.nat(), reading)).map((r) => new Map(r)),
  })
  fc.assert(
    fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (record, at, flip) => {
      const bytes = encodeRecord(record)
      expect(decodeRecord(bytes)).toEqual(record)
      const place = at % bytes.length
      bytes[place] = (bytes[place] ?? 0) ^ flip
      expect(decodeRecord(bytes)).toBeUndefined()
    }),
  )
})

test('readings come out in the batches that they went into, oldest first, and are there until their receipt', async () => {
  const outbox = await openOutbox(folder())
  closers.push(() => outbox.close())
  const kept = [
    await outbox.append('a', t(1), level(1)),
    await outbox.append('b', t(1), level(2)),
    await outbox.append('a', t(2), level(3)),
  ]
  expect(kept[2]?.batch).toBe(kept[0]?.batch)
  const batches = await takeAll(outbox)
  expect(batches.map((b) => [b.id, b.device, b.samples.map((s) => s.t)])).toEqual([
    [kept[0]?.batch, 'a', [t(1), t(2)]],
    [kept[1]?.batch, 'b', [t(1)]],
  ])
  const [first, second] = batches.map((b) => b.id) as [BatchId, BatchId]
  expect(await outbox.drop([first])).toBe(1)
  expect(outbox.read(first)).toBeUndefined()
  expect(outbox.read(second)).toEqual(batches[1])
  expect(outbox.stats()).toMatchObject({ pending: 1, oldest_t: t(1) })
})

test('nothing joins a batch that was taken', async () => {
  const outbox = await openOutbox(folder())
  closers.push(() => outbox.close())
  const first = await outbox.append('a', t(1), level(1))
  const [taken] = await takeAll(outbox)
  const second = await outbox.append('a', t(2), level(2))
  expect(second.batch).not.toBe(first.batch)
  expect(outbox.read(first.batch)).toEqual(taken)
})

test('an append that is still being written when its batch is taken is part of it, so its receipt deletes nothing unsent', async () => {
  const outbox = await openOutbox(folder())
  closers.push(() => outbox.close())
  const sent: number[] = []
  const kept: number[] = []
  for (let i = 0; i < 300; i++) {
    const written = outbox.append(i % 3 === 0 ? 'b' : 'a', t(i), level(i)).then(() => kept.push(i))
    if (i % 7 === 0) {
      const batch = await takeOldest(outbox)
      if (batch) {
        sent.push(...valuesOf([batch]))
        await outbox.drop([batch.id])
      }
    }
    if (i % 5 === 0) await written
  }
  await outbox.append('a', t(1000), level(300))
  sent.push(...valuesOf(await takeAll(outbox)))
  expect(sent.sort((a, b) => a - b)).toEqual(Array.from({ length: 301 }, (_, i) => i))
})

test('after a restart the same readings are in batches of the same ids, and new ones in none of them', async () => {
  const path = folder()
  const first = await openOutbox(path)
  for (let i = 0; i < 5; i++) await first.append(i % 2 ? 'a' : 'b', t(i), level(i))
  const sent = await takeOldest(first)
  await first.append('a', t(9), level(9))
  await first.close()

  const second = await openOutbox(path)
  closers.push(() => second.close())
  const fresh = await second.append('a', t(10), level(10))
  const batches = await takeAll(second)
  expect(batches[0]).toEqual(sent)
  expect(new Set(batches.map((b) => b.id)).size).toBe(batches.length)
  expect(valuesOf(batches).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 9, 10])
  expect(batches.find((b) => b.id === fresh.batch)?.samples.map((s) => s.t)).toEqual([t(10)])
})

test('a counter is never used again, though everything was receipted', async () => {
  const path = folder()
  const ids: BatchId[] = []
  for (let run = 0; run < 3; run++) {
    const outbox = await openOutbox(path)
    await outbox.append('a', t(run), level(run))
    const taken = (await takeAll(outbox)).map((b) => b.id)
    ids.push(...taken)
    await outbox.drop(taken)
    await outbox.close()
  }
  expect(new Set(ids).size).toBe(3)
  expect(new Set(ids.map(epochOf)).size).toBe(1)
})

test('a receipt deletes what it names and nothing else: no unknown id, no other outbox’s, none that was not sent', async () => {
  const outbox = await openOutbox(folder())
  closers.push(() => outbox.close())
  const { batch } = await outbox.append('a', t(1), level(1))
  expect(await outbox.drop([batch])).toBe(0)
  const [taken] = await takeAll(outbox)
  const otherEpoch = batchId((epochOf(batch) + 1) % 2 ** 32, counterOf(batch))
  expect(await outbox.drop([otherEpoch, batchId(epochOf(batch), 77)])).toBe(0)
  expect(outbox.read(batch)).toEqual(taken)
  expect(await outbox.drop([batch, batch])).toBe(1)
  expect(await outbox.drop([batch])).toBe(0)
  expect(outbox.stats().pending).toBe(0)
})

test('the times of a device strictly increase: a clock that steps back shifts them by the least, over a restart too', async () => {
  const path = folder()
  const first = await openOutbox(path)
  expect((await first.append('a', t(1000), level(1))).t).toBe(t(1000))
  expect((await first.append('a', t(10), level(2))).t).toBe(t(1001))
  expect((await first.append('b', t(10), level(2))).t).toBe(t(10))
  await first.close()
  const second = await openOutbox(path)
  closers.push(() => second.close())
  expect((await second.append('a', t(1001), level(3))).t).toBe(t(1002))
  expect((await second.append('a', t(2000), level(4))).t).toBe(t(2000))
  expect(second.stats().shifted).toBe(2)
})

test('an alias is kept for ever, and is never another metric’s', async () => {
  const path = folder()
  const first = await openOutbox(path)
  const a = new Map(first.aliases.of('a'))
  const b = new Map(first.aliases.of('b'))
  await first.close()
  const second = await openOutbox(path, { devices: [] })
  closers.push(() => second.close())
  expect(second.aliases.of('a')).toEqual(a)
  const more = await second.aliases.claim('a', ['opening', 'flow'])
  expect(more.get('flow')).toBe(a.get('flow'))
  const all = [...a.values(), ...b.values(), more.get('opening')]
  expect(new Set(all).size).toBe(all.length)
})

test('the birth sequence number goes on over restarts', async () => {
  const path = folder()
  const first = await openOutbox(path)
  expect([await first.nextBdSeq(), await first.nextBdSeq()]).toEqual([0, 1])
  await first.close()
  const second = await openOutbox(path)
  closers.push(() => second.close())
  expect(await second.nextBdSeq()).toBe(2)
  for (let i = 3; i < 256; i++) await second.nextBdSeq()
  expect(await second.nextBdSeq()).toBe(0)
})

test('a full outbox drops the oldest readings, and each one is counted, over a restart too', async () => {
  const path = folder()
  const max_bytes = MiB
  const first = await openOutbox(path, { max_bytes })
  const total = 30_000
  for (let i = 0; i < total; i += 100)
    await Promise.all(Array.from({ length: 100 }, (_, k) => first.append(k % 2 ? 'a' : 'b', t(i + k), level(i + k))))
  const { lost_readings, pending, pending_bytes } = first.stats()
  expect(lost_readings).toBeGreaterThan(0)
  expect(pending_bytes).toBeLessThan(max_bytes * 1.1)
  await first.close()

  const second = await openOutbox(path, { max_bytes })
  closers.push(() => second.close())
  expect(second.stats().lost_readings).toBe(lost_readings)
  const left = valuesOf(await takeAll(second))
  expect(left).toHaveLength(pending)
  expect(left.length + lost_readings).toBe(total)
  // Batches of two devices grow side by side, so the edge is two batches wide.
  expect(Math.max(...left)).toBe(total - 1)
  expect(Math.min(...left)).toBeGreaterThanOrEqual(lost_readings - 1000)
})

/** Takes and receipts all losses, as a host would. */
async function tellLosses(outbox: Outbox): Promise<LostRecord[]> {
  const told: LostRecord[] = []
  for (let b = await outbox.takeLost(); b; b = await outbox.takeLost()) {
    told.push(...b.lost)
    await outbox.drop([b.id])
  }
  return told
}

test('what a full outbox drops is told by interval and count of each structure, once, and over a restart', async () => {
  const path = folder()
  const first = await openOutbox(path, { max_bytes: MiB })
  const total = 20_000
  for (let i = 0; i < total; i += 100)
    await Promise.all(Array.from({ length: 100 }, (_, k) => first.append(k % 2 ? 'a' : 'b', t(i + k), level(i + k))))
  await first.close()
  const second = await openOutbox(path, { max_bytes: MiB })
  closers.push(() => second.close())
  const told = await second.takeLost()
  expect(second.read(told?.id as BatchId)).toEqual(told)
  const records = told?.lost ?? []
  const left = new Map(['a', 'b'].map((device) => [device, Number.POSITIVE_INFINITY]))
  for (const b of await takeAll(second)) left.set(b.device, Math.min(left.get(b.device) ?? 0, ...b.samples.map((s) => s.t)))
  for (const { structure, from, to, why } of records) {
    expect([from, why]).toEqual([structure === 'a' ? t(1) : t(0), 'outbox_full'])
    // Everything up to the next reading that is still there.
    expect(to + 2).toBe(left.get(structure ?? ''))
  }
  expect(records.reduce((n, r) => n + r.readings, 0)).toBe(second.stats().lost_readings)
  expect(second.stats()).toMatchObject({ lost_from_t: expect.any(Number), lost_to_t: Math.max(...records.map((r) => r.to)) })
  expect(await second.takeLost()).toBeUndefined()
  await second.drop([told?.id as BatchId])
  expect(second.read(told?.id as BatchId)).toBeUndefined()
})

test('a loss that was told without a receipt is told again by the next run under the same id', async () => {
  const path = folder()
  const first = await openOutbox(path, { max_age_ms: 1000 })
  await first.append('a', t(0), level(1))
  first.divide()
  await first.append('a', t(5000), level(2))
  await until(async () => expect(first.stats().lost_readings).toBe(1))
  const told = await first.takeLost()
  expect(told?.lost).toEqual([{ structure: 'a', from: t(0), to: t(0), readings: 1, why: 'too_old' }])
  await first.close()
  const second = await openOutbox(path)
  closers.push(() => second.close())
  expect(await second.takeLost()).toEqual(told)
  await second.drop([told?.id as BatchId])
  expect(await tellLosses(second)).toEqual([])
})

test('while the clock is not sure no reading is called too old', async () => {
  let sure = false
  const outbox = await openOutbox(folder(), { max_age_ms: 1000, clockIsSure: () => sure })
  closers.push(() => outbox.close())
  await outbox.append('a', t(0), level(1))
  outbox.divide()
  await outbox.append('a', t(50_000), level(2))
  expect(await tellLosses(outbox)).toEqual([])
  expect(outbox.stats().pending_readings).toBe(2)
  sure = true
  await outbox.append('a', t(50_001), level(3))
  await until(async () => expect(outbox.stats().pending_readings).toBe(2))
})

test('batches that are on their way are not dropped: they may be in history', async () => {
  const outbox = await openOutbox(folder(), { max_bytes: MiB })
  closers.push(() => outbox.close())
  await outbox.append('a', t(0), level(-1))
  const taken = await takeOldest(outbox)
  for (let i = 1; i < 20_000; i += 100) await Promise.all(Array.from({ length: 100 }, (_, k) => outbox.append('a', t(i + k), level(i + k))))
  expect(outbox.stats().lost_readings).toBeGreaterThan(0)
  expect(outbox.read(taken?.id as BatchId)).toEqual(taken)
})

test('after an outage the present overtakes the backlog, and both keep their order', async () => {
  const outbox = await openOutbox(folder())
  closers.push(() => outbox.close())
  for (let i = 0; i < 500; i++) await outbox.append('a', t(i), level(i))
  outbox.divide()
  for (let i = 500; i < 504; i++) await outbox.append('a', t(i), level(i))
  const present = await outbox.take('present')
  expect(valuesOf(present ? [present] : [])).toEqual([500, 501, 502, 503])
  expect(await outbox.take('present')).toBeUndefined()
  const backlog: Batch[] = []
  for (let b = await outbox.take('backlog'); b; b = await outbox.take('backlog')) backlog.push(b)
  expect(valuesOf(backlog)).toEqual(Array.from({ length: 500 }, (_, i) => i))
})

test('the room is told in hours at the present rate, and the readings that wait are counted over a restart', async () => {
  const path = folder()
  let now = 0
  const first = await openOutbox(path, { max_bytes: 16 * MiB, elapsed: () => now })
  expect(first.stats().room_h).toBeNull()
  const both: ReadonlyMap<string, Reading> = new Map([
    ['level_up', good(1.25)],
    ['flow', good(20.5)],
  ])
  for (let i = 0; i < 3600; i += 10) {
    now += 10_000
    await first.append('a', t(i), both)
  }
  // 360 appends an hour: the outbox is full when its limit is, whatever the disk adds to each.
  const { room_h, pending_bytes } = first.stats()
  const hours = (16 * MiB - pending_bytes) / pending_bytes
  expect(room_h).toBeGreaterThan(hours / 3)
  expect(room_h).toBeLessThan(hours * 3)
  await first.close()
  const second = await openOutbox(path)
  closers.push(() => second.close())
  expect(second.stats().pending_readings).toBe(720)
  const [batch] = await takeAll(second)
  await second.drop([batch?.id as BatchId])
  expect(second.stats().pending_readings).toBe(720 - 2 * (batch?.samples.length ?? 0))
})

test('a second agent on the same outbox is told so', async () => {
  const path = folder()
  const first = await openOutbox(path)
  await expect(openOutbox(path)).rejects.toMatchObject({ code: 'DATA_IN_USE' })
  await first.close()
  await (await openOutbox(path)).close()
})

/** Overwrites parts of a file with noise. */
function scribble(file: string, places: readonly (readonly [from: number, bytes: number])[]): void {
  const fd = openSync(file, 'r+')
  for (const [from, bytes] of places) writeSync(fd, Buffer.alloc(bytes, 0xa5), 0, bytes, from)
  closeSync(fd)
}

test('a damaged outbox is set aside with the time in its name, and a new epoch begins', async () => {
  const ways: Record<string, (size: number) => [number, number][]> = {
    'its head': () => [[0, 8192]],
    'everything behind its head': (size) => [[8192, size - 8192]],
    'places here and there': (size) => Array.from({ length: 60 }, (_, i) => [8192 + Math.floor(((size - 8300) * i) / 60), 64]),
  }
  for (const [what, places] of Object.entries(ways)) {
    const path = folder()
    const before = await openOutbox(path)
    for (let i = 0; i < 500; i++) void before.append('a', t(i), level(i))
    const { batch } = await before.append('a', t(1000), level(1))
    await before.close()
    const file = join(path, 'data.mdb')
    scribble(file, places(statSync(file).size))

    const after = await openOutbox(path)
    const fresh = await after.append('a', t(2000), level(7))
    expect(epochOf(fresh.batch), what).not.toBe(epochOf(batch))
    expect(valuesOf(await takeAll(after)), what).toEqual([7])
    expect(
      readdirSync(path).filter((name) => /^data\.corrupt-\d{4}-.*\.mdb$/.test(name)),
      what,
    ).toHaveLength(1)
    await after.close()
  }
})
