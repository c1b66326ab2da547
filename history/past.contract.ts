import { expect, test } from 'vitest'
import { bad, drawable, good, qualityCode, type Reading, stale } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { type History, PAST_REACH_MS, type PastSeries, type Sample } from './port.ts'

const FROM = 1_750_000_020_000
const MINUTE = 60_000
const at = (ms: number, reading: Reading, name: { gate: string; metric?: string }): Sample => {
  const t = unixMs(FROM + ms)
  return { gate: name.gate, metric: name.metric ?? 'level_up', t, received: t, reading }
}

/** What every store must tell of the past, in the history that `open` gives. */
export function pastContract(historyOf: () => History): void {
  const keep = async (samples: readonly Sample[], options = { rewrite: false }): Promise<void> => {
    expect(await historyOf().write(samples, options)).toEqual({ kind: 'kept' })
  }
  const past = (gates: readonly string[], to: number, stepMs = MINUTE): Promise<PastSeries[]> =>
    historyOf().past({ gates, from: unixMs(FROM), to: unixMs(FROM + to), stepMs })

  test('the past begins with what was last known, with the last good value where that was bad, however long ago it was told', async () => {
    await keep([
      at(-10 * MINUTE, good(1), { gate: 'past-known' }),
      at(-MINUTE, bad('timeout'), { gate: 'past-known' }),
      at(0, good(7), { gate: 'past-known' }),
      at(-30 * 60 * MINUTE, good(3), { gate: 'past-known', metric: 'flow' }),
      at(-PAST_REACH_MS - MINUTE, good(9), { gate: 'past-known', metric: 'opening' }),
      at(-5 * MINUTE, stale(4), { gate: 'past-known', metric: 'battery' }),
    ])
    const found = new Map((await past(['past-known', 'past-nowhere'], 0)).map((s) => [s.metric, s]))
    expect([...found.keys()].sort()).toEqual(['battery', 'flow', 'level_up'])
    const told = { t: [FROM - MINUTE], value: [null], quality: [qualityCode(bad('timeout'))] }
    expect(found.get('level_up')).toMatchObject({ ...told, good: { t: FROM - 10 * MINUTE, value: 1 }, hourBefore: 2 })
    expect(found.get('flow')).toMatchObject({ t: [FROM - 30 * 60 * MINUTE], value: [3], hourBefore: 0 })
    expect(found.get('battery')).toMatchObject({ value: [4], quality: [500] })
    expect(await past([], MINUTE)).toEqual([])
  })

  test('of each step the newest sample is told, good or bad, by gate and metric', async () => {
    const readings: Reading[] = [good(1), good(2), bad('timeout'), good(4), stale(5), bad('sensor_fault'), good(7)]
    const samples = ['past-a', 'past-b'].flatMap((gate, g) =>
      Array.from({ length: 60 }, (_, i) => at(i * 17_000 + g, readings[(i + g) % readings.length] ?? good(0), { gate })),
    )
    const even = Array.from({ length: 40 }, (_, i) => at(i * 20_000, good(i), { gate: 'past-a', metric: 'flow' }))
    await keep([...samples, ...even], { rewrite: true })
    const check = async (): Promise<void> => {
      const found = await past(['past-a', 'past-b'], 20 * MINUTE)
      expect(found.map((s) => `${s.gate} ${s.metric}`).sort()).toEqual(['past-a flow', 'past-a level_up', 'past-b level_up'])
      for (const series of found) {
        const newest = new Map<number, Sample>()
        for (const s of [...samples, ...even])
          if (s.gate === series.gate && s.metric === series.metric) newest.set(Math.floor((s.t - FROM) / MINUTE), s)
        expect(series.value).toEqual([...newest.values()].map((s) => drawable(s.reading)))
        expect(series.quality).toEqual([...newest.values()].map((s) => qualityCode(s.reading)))
        const steps = series.t.map((t) => Math.floor((t - FROM) / MINUTE))
        expect(steps).toEqual([...newest.keys()])
        expect(series.t.every((t, i) => t >= ([...newest.values()][i]?.t ?? 0))).toBe(true)
      }
    }
    await check()
    await historyOf().rollUp(Number.POSITIVE_INFINITY)
    await check()
  })
}
