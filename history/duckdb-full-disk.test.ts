import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { openSmallDisk } from '#test/support/small-disk.ts'
import { openDuckDb } from './duckdb.ts'
import { collect, query, sampleAt, T0 } from './history.contract.ts'
import type { History } from './port.ts'

/** Samples of a gate's own rate: closer ones would make the roll-up of an hour a work of its own. */
const SECOND = 1000
const log = pino({ level: 'silent' })
const disk = openSmallDisk('full-disk', '20m')
let history: History | undefined
afterAll(async () => {
  await history?.close()
  disk?.remove()
})

test.skipIf(!disk)(
  'on a full disk samples wait; with room again they are taken, and what was kept is there',
  async () => {
    const store = await openDuckDb(join(disk?.folder ?? '', 'history.duckdb'), { log })
    history = store
    const batch = (i: number) =>
      Array.from({ length: 10_000 }, (_, k) => sampleAt((i * 10_000 + k) * SECOND, good(Math.random()), { gate: 'g' }))
    let kept = 0
    for (;;) {
      const outcome = await store.write(batch(kept), { rewrite: false })
      if (outcome.kind !== 'kept') {
        expect(outcome).toMatchObject({ kind: 'unavailable', cause: { name: 'Fault', code: 'DISK_FULL' } })
        break
      }
      kept++
      expect(kept).toBeLessThan(500)
    }
    for (let i = 0; i < 3; i++) expect((await store.write(batch(kept), { rewrite: false })).kind).toBe('unavailable')
    disk?.resize('200m')
    expect(await store.write(batch(kept), { rewrite: false })).toEqual({ kind: 'kept' })
    expect(await collect(store.samples(query('g', { to: unixMs(T0 + (kept + 1) * 10_000 * SECOND) })))).toHaveLength((kept + 1) * 10_000)
  },
  600_000,
)
