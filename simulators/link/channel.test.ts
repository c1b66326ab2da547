import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Channel, type ChannelSettings, type Packet } from './channel.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const kbit20: ChannelSettings = { bits_per_s: 20_000, latency_ms: 0, jitter_ms: 0, buffer_bytes: 8192 }
const now = (): number => Date.now()

type Arrival = { readonly n: number; readonly at: number }
/** A source of packets of these sizes that notes when each arrived, in ms since now. */
function sender(sizes: readonly number[], arrivals: Arrival[]): { take: () => Packet | null; taken: () => number } {
  const start = now()
  let n = 0
  return {
    take: () => {
      const bytes = sizes[n]
      if (bytes === undefined) return null
      const mine = n++
      return { bytes, deliver: () => arrivals.push({ n: mine, at: now() - start }) }
    },
    taken: () => n,
  }
}
const open = (settings: Partial<ChannelSettings>, chance = () => 0): Channel => new Channel({ ...kbit20, ...settings }, { now, chance })

test('at 20 kbit/s each 1000 bytes take 0.4 s, one after the other', () => {
  const arrivals: Arrival[] = []
  open({}).add(sender([1000, 1000, 500], arrivals))
  vi.runAllTimers()
  expect(arrivals).toEqual([
    { n: 0, at: 400 },
    { n: 1, at: 800 },
    { n: 2, at: 1000 },
  ])
})

test('latency delays each packet and holds none back: it is no second bottleneck', () => {
  const arrivals: Arrival[] = []
  open({ latency_ms: 5000 }).add(sender([1000, 1000], arrivals))
  vi.runAllTimers()
  expect(arrivals.map((a) => a.at)).toEqual([5400, 5800])
})

test('whatever the jitter, no packet overtakes another, none is lost, and none is faster than the bandwidth and the latency allow', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 1, max: 5000 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (all, jitter_ms, chances) => {
        const arrivals: Arrival[] = []
        open({ jitter_ms, latency_ms: 300 }, () => chances.next().value ?? 0).add(sender(all, arrivals))
        vi.runAllTimers()
        expect(arrivals.map((a) => a.n)).toEqual(all.map((_, n) => n))
        let bytes = 0
        for (const [i, { at }] of arrivals.entries()) {
          bytes += all[i] ?? 0
          expect(at).toBeGreaterThanOrEqual(bytes * 0.4 + 300)
        }
      },
    ),
    { numRuns: 50 },
  )
})

test('no more is taken than the buffer holds and one packet over', () => {
  const arrivals: Arrival[] = []
  const source = sender(
    Array.from({ length: 100 }, () => 1000),
    arrivals,
  )
  const channel = open({ buffer_bytes: 4000 })
  channel.add(source)
  expect(source.taken()).toBe(4)
  for (let i = 0; i < 100; i++) {
    vi.advanceTimersByTime(400)
    expect(channel.held_bytes).toBeLessThanOrEqual(4000)
  }
  expect(arrivals).toHaveLength(100)
})

test('one connection that sends all the time does not shut out another', () => {
  const [bulk, poll]: [Arrival[], Arrival[]] = [[], []]
  const channel = open({ buffer_bytes: 2000 })
  channel.add(
    sender(
      Array.from({ length: 100 }, () => 1000),
      bulk,
    ),
  )
  vi.advanceTimersByTime(2000)
  channel.add(sender([100, 100], poll))
  vi.advanceTimersByTime(2500)
  expect(poll).toHaveLength(2)
  vi.runAllTimers()
  expect(bulk).toHaveLength(100)
})

test('in a stall nothing leaves and nothing arrives; afterwards everything does, in order', () => {
  const arrivals: Arrival[] = []
  const channel = open({ latency_ms: 1000 })
  channel.add(sender([1000, 1000, 1000], arrivals))
  vi.advanceTimersByTime(600)
  channel.stall(10_000)
  channel.stall(4000)
  vi.advanceTimersByTime(9999)
  expect(arrivals).toEqual([])
  vi.runAllTimers()
  // The first was on its way when the stall began, the second half sent.
  expect(arrivals.map((a) => a.at)).toEqual([10_600, 11_800, 12_200])
})

test('a new bandwidth holds from the next packet on', () => {
  const arrivals: Arrival[] = []
  const channel = open({})
  channel.add(sender([1000, 1000, 1000], arrivals))
  channel.set({ ...kbit20, bits_per_s: 200_000 })
  vi.runAllTimers()
  expect(arrivals.map((a) => a.at)).toEqual([400, 440, 480])
})
