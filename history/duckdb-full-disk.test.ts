import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { tempFolder } from '#test/support/servers.ts'
import { openDuckDb } from './duckdb.ts'
import { collect, query, sampleAt, T0 } from './history.contract.ts'
import type { History } from './port.ts'

/** Samples of a gate's own rate: closer ones would make the roll-up of an hour a work of its own. */
const SECOND = 1000
const log = pino({ level: 'silent' })
const root = tempFolder('full-disk')
const disk = join(root, 'disk')
mkdirSync(disk)
/** A small disk needs the right to mount one, which a container or a plain user may not have. */
function mount(...options: string[]): boolean {
  try {
    execFileSync('mount', [...options, disk], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}
const mounted = mount('-t', 'tmpfs', '-o', 'size=20m', 'tmpfs')
let history: History | undefined
afterAll(async () => {
  await history?.close()
  if (mounted) execFileSync('umount', [disk])
  rmSync(root, { recursive: true, force: true })
})

test.skipIf(!mounted)(
  'on a full disk samples wait; with room again they are taken, and what was kept is there',
  async () => {
    const store = await openDuckDb(join(disk, 'history.duckdb'), { log })
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
    expect(mount('-o', 'remount,size=200m')).toBe(true)
    expect(await store.write(batch(kept), { rewrite: false })).toEqual({ kind: 'kept' })
    expect(await collect(store.samples(query('g', { to: unixMs(T0 + (kept + 1) * 10_000 * SECOND) })))).toHaveLength((kept + 1) * 10_000)
  },
  600_000,
)
