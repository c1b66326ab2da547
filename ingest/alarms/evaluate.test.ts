import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AlarmRule, rulesOf } from '#contract/alarm.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { ConditionRow } from '#registry/alarms.ts'
import { advance, holds, step, type Transition, untouched, violates } from './evaluate.ts'
import { lookAt } from './look.ts'
import { newWatch, restored, took } from './watch.ts'

const rule: AlarmRule = {
  id: 'level_warning:yc-zh-01',
  kind: 'level_warning',
  area: 'yichang',
  site: 'yc-s001',
  gate: 'yc-zh-01',
  estimate: true,
  enabled: true,
  priority: 'high',
  limit: 2,
  deadband: 0.1,
  delay_on_ms: 0,
  delay_off_ms: 0,
  months: null,
}
const readings = fc.array(
  fc.record({ gapMs: fc.integer({ min: 1, max: 60_000 }), value: fc.double({ min: 1.5, max: 2.5, noNaN: true }) }),
  {
    maxLength: 60,
  },
)
const delays = fc.record({ delay_on_ms: fc.constantFrom(0, 5000, 60_000), delay_off_ms: fc.constantFrom(0, 5000, 60_000) })
type Sample = { t: number; value: number }
const timed = (list: readonly { gapMs: number; value: number }[]): Sample[] => {
  let t = 1_790_000_000_000
  return list.map(({ gapMs, value }) => {
    t += gapMs
    return { t, value }
  })
}

/** Runs samples as ingest does; `restarts` names samples after which all but what was saved is forgotten, and how many come again. */
function run(of: AlarmRule, samples: readonly Sample[], restarts: ReadonlyMap<number, number> = new Map()): Transition[] {
  let watch = newWatch(of)
  let saved: ConditionRow | undefined
  const told: Transition[] = []
  const take = ({ t, value }: Sample): void => {
    const { look } = lookAt(of, { t: unixMs(t), received: unixMs(t), reading: good(value) }, watch)
    if (!look) throw new Error('a good reading is always looked at')
    const stepped = step(of, watch.condition, look)
    told.push(...stepped.transitions)
    saved = took(watch, stepped)?.row ?? saved
  }
  samples.forEach((sample, i) => {
    take(sample)
    const again = restarts.get(i)
    if (again === undefined) return
    watch = saved ? restored(newWatch(of), saved) : newWatch(of)
    for (const old of samples.slice(Math.max(0, i + 1 - again), i + 1)) take(old)
  })
  return told
}

test('an alarm is raised and returned in turn, each time once, whatever the level does', () => {
  fc.assert(
    fc.property(readings, delays, (list, d) => {
      const told = run({ ...rule, ...d }, timed(list))
      told.forEach((transition, i) => {
        expect(transition.what).toBe(i % 2 === 0 ? 'raised' : 'returned')
        expect(transition.occurrence).toBe(Math.floor(i / 2) + 1)
        if (i > 0) expect(transition.at).toBeGreaterThanOrEqual(told[i - 1]?.at ?? 0)
      })
    }),
  )
})

test('after any restarts, with samples that come again, the same alarms have been raised and returned at the same times', () => {
  const restarts = fc.array(fc.tuple(fc.nat(59), fc.nat(20)), { maxLength: 6 })
  fc.assert(
    fc.property(readings, delays, restarts, (list, d, cuts) => {
      const samples = timed(list)
      const own = { ...rule, ...d }
      const told = run(own, samples, new Map(cuts))
      const times = (of: readonly Transition[]) => of.map(({ what, at, occurrence }) => ({ what, at, occurrence }))
      expect(times(told)).toEqual(times(run(own, samples)))
      for (const transition of told) expect(valuesOf(samples, transition)).toContain(transition.value)
    }),
    {
      examples: [
        // The level rose on after what was saved, and did not come again: the alarm tells the one saved.
        [
          [1.5, 1.5, 1.5, 2.1, 2.2, 1.5].map((value, i) => ({ gapMs: i === 5 ? 4999 : 1, value })),
          { delay_on_ms: 5000, delay_off_ms: 0 },
          [[4, 0]],
        ],
      ],
    },
  )
})

/** What a transition may tell: a level on the side of the limit that it tells of, heard before it. After a restart it need not be the newest. */
const valuesOf = (samples: readonly Sample[], { what, at }: Transition): number[] =>
  samples.filter(({ t, value }) => t <= at && (what === 'raised' ? value > 2 : value <= 1.9)).map(({ value }) => value)

test('with an on-delay an alarm begins exactly when the level has been over the limit for that long', () => {
  fc.assert(
    fc.property(readings, (list) => {
      const own = { ...rule, deadband: 0, delay_on_ms: 30_000 }
      const samples = timed(list)
      const expected: number[] = []
      let over: number | undefined
      let raised = false
      for (const { t, value } of [...samples, { t: Number.POSITIVE_INFINITY, value: 0 }]) {
        // The last level holds until the next reading.
        if (over !== undefined && !raised && t !== Number.POSITIVE_INFINITY && t - over >= 30_000) {
          expected.push(over + 30_000)
          raised = true
        }
        if (value > 2) over ??= t
        else [over, raised] = [undefined, false]
      }
      expect(
        run(own, samples)
          .filter((x) => x.what === 'raised')
          .map((x) => x.at),
      ).toEqual(expected)
    }),
  )
})

test('a level that wavers inside the deadband keeps its alarm', () => {
  const told = run(rule, timed([2.05, 1.95, 2.01, 1.92, 1.89].map((value) => ({ gapMs: 1000, value }))))
  expect(told.map((x) => x.what)).toEqual(['raised', 'returned'])
})

test('a level inside the deadband neither raises an alarm at the instant at which it returns, nor returns one at the instant at which it is raised', () => {
  const slow = { ...rule, delay_off_ms: 5000 }
  const back = timed([2.05, 1.5, 1.95].map((value, i) => ({ gapMs: i === 2 ? 5000 : 1000, value })))
  expect(run(slow, back).map(({ what, value }) => ({ what, value }))).toEqual([
    { what: 'raised', value: 2.05 },
    { what: 'returned', value: 1.5 },
  ])
  const up = timed([2.05, 1.95, 1.95].map((value, i) => ({ gapMs: i === 1 ? 5000 : 1000, value })))
  expect(run({ ...rule, delay_on_ms: 5000 }, up).map((x) => x.what)).toEqual(['raised'])
})

test('a delay ends by the clock where no reading comes any more', () => {
  const slow = { ...rule, delay_on_ms: 10_000 }
  const { condition } = step(slow, untouched(), { t: 1000, violated: true, value: 2.4 })
  expect(advance(slow, condition, 10_999).transitions).toEqual([])
  expect(advance(slow, condition, 11_000).transitions).toEqual([{ what: 'raised', at: 11_000, value: 2.4, occurrence: 1 }])
})

test('a low limit is crossed downwards, and a rule out of its season or switched off holds nothing', () => {
  expect(violates({ kind: 'level_low', limit: 1, deadband: 0.1 }, 0.9, false)).toBe(true)
  expect(violates({ kind: 'level_low', limit: 1, deadband: 0.1 }, 1.05, true)).toBe(true)
  expect(violates({ kind: 'level_low', limit: 1, deadband: 0.1 }, 1.05, false)).toBe(false)
  const january = Date.parse('2026-01-31T15:00:00Z')
  expect(holds({ enabled: true, months: [1] }, january)).toBe(true)
  // 23:00 on the 31st in Greenwich is February in Beijing.
  expect(holds({ enabled: true, months: [1] }, january + 2 * 3_600_000)).toBe(false)
  expect(holds({ enabled: false, months: null }, january)).toBe(false)
})

test('what an engineer has set replaces the estimate of a new gate, and nothing else', () => {
  const site = { id: 's1', name: { zh: '站', en: 'Site' }, area: 'yichang', station: '所', report_interval_ms: 5000 }
  const { id: _id, kind: _kind, area: _area, site: _site, gate: _gate, estimate: _estimate, ...setting } = { ...rule, limit: 3 }
  const rules = rulesOf({ structures: [], sites: [site] }, new Map([['site_lost:s1', setting]]))
  expect(rules.find((r) => r.id === 'site_lost:s1')).toMatchObject({ limit: 3, estimate: false, kind: 'site_lost' })
  expect(rules.filter((r) => r.estimate).map((r) => r.id)).toEqual(['outbox_dropping:s1', 'data_plan:s1', 'broker_lost:center'])
})
