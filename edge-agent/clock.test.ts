import { rmSync } from 'node:fs'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { good } from '#contract/reading.ts'
import { tempFolder } from '#test/support/servers.ts'
import { Clock } from './clock.ts'
import { type Kept, Outbox } from './outbox/outbox.ts'
import { Stamper } from './stamp.ts'

const log = pino({ level: 'silent' })
const NOON = Date.UTC(2026, 10, 25, 4)
const HOUR = 3_600_000
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A machine without a battery clock: both clocks run, and the wall's is set when someone does. */
function machine(wall: number, boot = 'boot-1') {
  const at = { wall, mono: 5000 }
  return {
    run: (ms: number) => {
      at.wall += ms
      at.mono += ms
    },
    set: (to: number) => {
      at.wall = to
    },
    sources: { wall: () => at.wall, mono: () => at.mono, boot },
  }
}

test('a clock of 1970 is unknown; set, it is known; set again, it is told as stepped for an hour', () => {
  const m = machine(7000)
  const clock = new Clock(m.sources, log)
  expect([clock.state, clock.isSure]).toEqual(['unknown', false])
  m.set(NOON)
  clock.now()
  expect([clock.state, clock.isSure]).toEqual(['known', true])
  for (let i = 0; i < 100; i++) {
    m.run(60_000)
    clock.now()
  }
  expect(clock.state).toBe('known')
  m.set(NOON)
  clock.now()
  expect(clock.state).toBe('stepped')
  m.run(HOUR + 1)
  expect(clock.state).toBe('known')
})

test('a clock that was set far ahead is not sure until the center agrees', () => {
  const m = machine(NOON)
  const clock = new Clock(m.sources, log)
  m.set(NOON + 365 * 24 * HOUR)
  clock.now()
  expect(clock.isSure).toBe(false)
  clock.hear(NOON)
  expect([clock.isSure, clock.skewMs]).toEqual([false, 365 * 24 * HOUR])
  m.set(NOON)
  clock.hear(NOON - 700)
  expect([clock.isSure, clock.skewMs]).toEqual([true, 700])
})

type Told = { device: string; kept: Kept }
async function agent(
  path: string,
  m: ReturnType<typeof machine>,
): Promise<{ outbox: Outbox; stamper: Stamper; told: Told[]; read: (value: number) => Promise<unknown> }> {
  const outbox = await Outbox.open({ path, max_bytes: 64 * 1_048_576, log })
  await outbox.aliases.claim('a', ['level_up'])
  const clock = new Clock(m.sources, log)
  const told: Told[] = []
  const stamper = new Stamper({ outbox, clock, onStamped: (device, kept) => told.push({ device, kept }), log })
  return { outbox, stamper, told, read: (value) => stamper.keep('a', clock.now(), new Map([['level_up', good(value)]])) }
}
async function kept(outbox: Outbox): Promise<[number, number][]> {
  const found: [number, number][] = []
  for (let b = await take(outbox); b; b = await take(outbox))
    for (const { t, readings } of b.samples) {
      const level = readings.get('level_up')
      found.push([t - NOON, level?.quality === 'good' ? level.value : Number.NaN])
    }
  return found
}
const take = async (outbox: Outbox) => (await outbox.take('backlog')) ?? (await outbox.take('present'))
function folder(): string {
  const path = tempFolder('clock')
  closers.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('readings from before the time was known get it when it is, over a restart of the program, and stay in order', async () => {
  const path = folder()
  const m = machine(0)
  const first = await agent(path, m)
  expect(await first.read(1)).toBeNull()
  m.run(5000)
  expect(await first.read(2)).toBeNull()
  expect(first.outbox.stats().pending).toBe(0)
  await first.outbox.close()

  m.run(5000)
  const second = await agent(path, m)
  closers.push(() => second.outbox.close())
  expect(await second.read(3)).toBeNull()
  m.set(NOON + 10_000)
  m.run(5000)
  expect(await second.read(4)).toBeNull()
  await second.stamper.close()
  m.run(5000)
  expect(await second.read(5)).toMatchObject({ t: NOON + 20_000 })
  expect(second.told.map((t) => t.kept.t - NOON)).toEqual([0, 5000, 10_000, 15_000])
  expect(await kept(second.outbox)).toEqual([
    [0, 1],
    [5000, 2],
    [10_000, 3],
    [15_000, 4],
    [20_000, 5],
  ])
})

test('readings of a boot whose time was never known are lost, counted and told', async () => {
  const path = folder()
  const before = await agent(path, machine(NOON))
  await before.read(1)
  await before.outbox.close()
  const dark = await agent(path, machine(0, 'boot-2'))
  await dark.read(2)
  await dark.read(3)
  await dark.outbox.close()
  const after = await agent(path, machine(NOON + HOUR, 'boot-3'))
  closers.push(() => after.outbox.close())
  await after.read(4)
  await after.stamper.close()
  expect(await kept(after.outbox)).toEqual([
    [0, 1],
    [HOUR, 4],
  ])
  expect(after.outbox.stats().lost_readings).toBe(2)
  expect((await after.outbox.takeLost())?.lost).toMatchObject([{ structure: 'a', from: NOON, readings: 2, why: 'time_unknown' }])
})
