import { expect, test } from 'vitest'
import { bad, good } from '#contract/reading.ts'
import { profileOf } from '#test/support/profile.ts'
import type { BusReply } from './bus.ts'
import { BusReader } from './bus-reader.ts'
import { toDevice } from './device.ts'
import type { ReadRequest } from './request.ts'

const TIMEOUT = 2000
const ANSWER = 20
const profile = profileOf({
  points: [
    { metric: 'battery', address: 0, type: 'uint16' },
    { metric: 'mode', address: 10, type: 'uint16' },
  ],
})
const deviceOf = (unit: number) => toDevice({ structure: `g${unit}`, unit, leaves: 1 }, profile)

/** A day on a bus whose time is only counted: units answer in 20 ms, or cost a timeout, as `isDead` says. */
function busOf(units: readonly number[], isDead: (request: ReadRequest, now: number) => boolean) {
  let now = 0
  const asked = new Map<number, number>()
  const read = async (request: ReadRequest): Promise<BusReply> => {
    const dead = isDead(request, now)
    now += dead ? TIMEOUT : ANSWER
    if (!dead) asked.set(request.unit, (asked.get(request.unit) ?? 0) + 1)
    return dead ? { kind: 'bad', reason: 'timeout' } : { kind: 'words', words: [1] }
  }
  const devices = units.map(deviceOf)
  const reader = new BusReader({ bus: { read, isOwed: () => false }, timeout_ms: TIMEOUT, elapsed: () => now })
  return {
    asked,
    now: () => now,
    /** Polls on a grid of a second; a cycle that takes longer misses the times in between. @returns good cycles of each unit. */
    async poll(until: number): Promise<Map<number, number>> {
      const goods = new Map<number, number>()
      while (now < until) {
        for (const device of reader.inOrder(devices)) {
          const readings = await reader.read(device)
          if (readings.get('battery')?.quality === 'good') goods.set(device.unit, (goods.get(device.unit) ?? 0) + 1)
        }
        now = (Math.floor(now / 1000) + 1) * 1000
      }
      return goods
    },
  }
}

const HOUR = 3_600_000

test.each([
  ['one dead unit', 1],
  ['five dead units', 5],
])('%s costs the others at most a tenth of their polls', async (_, dead) => {
  const units = [1, 2, 3, 4, 5, 6, 7, 8]
  const bus = busOf(units, ({ unit }) => unit > 8 - dead)
  const goods = await bus.poll(HOUR)
  for (let unit = 1; unit <= 8 - dead; unit++) expect(goods.get(unit)).toBeGreaterThanOrEqual((0.9 * HOUR) / 1000)
})

test('a unit that answers only now and then costs the others no more', async () => {
  let n = 0
  const bus = busOf([1, 2], ({ unit }) => unit === 2 && n++ % 4 === 3)
  expect((await bus.poll(HOUR)).get(1)).toBeGreaterThanOrEqual((0.9 * HOUR) / 1000)
})

test('a dead unit that comes back is read again within two minutes, four of them at once too', async () => {
  const back = HOUR / 4
  const bus = busOf([1, 2, 3, 4, 5], ({ unit }, now) => unit > 1 && now < back)
  await bus.poll(back)
  const goods = await bus.poll(back + 4 * 25_000 + 20_000)
  for (const unit of [2, 3, 4, 5]) expect(goods.get(unit)).toBeGreaterThan(0)
})

test('where every unit is dead, each is asked in turn, for there is nobody to slow down', async () => {
  const bus = busOf([1, 2, 3], (_, now) => now < 60_000)
  await bus.poll(60_000)
  const goods = await bus.poll(80_000)
  expect([...goods.keys()].sort()).toEqual([1, 2, 3])
})

test('a single lost answer is asked for again in the next cycle', async () => {
  let lost = false
  const bus = busOf([1, 2], ({ unit }) => {
    if (unit !== 2 || lost) return false
    lost = true
    return true
  })
  await bus.poll(1000)
  expect((await bus.poll(4000)).get(2)).toBeGreaterThan(0)
})

test('a block that is never answered costs its own unit nothing but itself', async () => {
  const bus = busOf([1, 2], ({ unit, address }) => unit === 2 && address === 10)
  const goods = await bus.poll(HOUR)
  expect(goods.get(2)).toBeGreaterThanOrEqual((0.9 * HOUR) / 1000)
})

test('what is not asked says why, and a late answer that is still to come is not waited for', async () => {
  const reader = new BusReader({
    bus: { read: async () => ({ kind: 'words', words: [1] }), isOwed: ({ unit }) => unit === 2 },
    timeout_ms: TIMEOUT,
    elapsed: () => 0,
  })
  expect((await reader.read(deviceOf(1))).get('battery')).toEqual(good(1))
  expect((await reader.read(deviceOf(2))).get('battery')).toEqual(bad('timeout'))
})
