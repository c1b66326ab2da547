import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unixMs } from '#contract/units.ts'
import { type Control, obey, positionAt, type Schedule, scheduledMotion, UNTOUCHED } from './gate-leaf.ts'

const t0 = 1_750_000_000_000
const leaf = (opening_mm: number) => ({ opening_mm, height_mm: 2000, speed_mm_s: 5, t: unixMs(t0) })
const after = (c: Control, seconds: number) => {
  if (!c.ordered) throw new Error('no command was taken')
  return positionAt(c.ordered, unixMs(t0 + seconds * 1000))
}

test('a leaf sent from 500 to 1000 mm at 5 mm/s is half way after 50 s and stands still after 100 s', () => {
  const control = obey(UNTOUCHED, { setpoint_mm: 1000, command: 4, sequence: 1 }, leaf(500))
  expect(after(control, 0)).toEqual({ opening_mm: 500, direction: 'raising' })
  expect(after(control, 50)).toEqual({ opening_mm: 750, direction: 'raising' })
  expect(after(control, 100)).toEqual({ opening_mm: 1000, direction: 'still' })
  expect(after(control, 9999)).toEqual({ opening_mm: 1000, direction: 'still' })
})

test('open and close run to the end stops, and a set-point beyond the upper one ends there', () => {
  const written = (command: number, setpoint_mm = 0) => ({ setpoint_mm, command, sequence: 7 })
  expect(after(obey(UNTOUCHED, written(1), leaf(500)), 9999).opening_mm).toBe(2000)
  expect(after(obey(UNTOUCHED, written(2), leaf(500)), 10)).toEqual({ opening_mm: 450, direction: 'lowering' })
  expect(after(obey(UNTOUCHED, written(2), leaf(500)), 9999).opening_mm).toBe(0)
  expect(after(obey(UNTOUCHED, written(4, 60_000), leaf(500)), 9999).opening_mm).toBe(2000)
})

test('a stop holds the leaf where it is', () => {
  const control = obey(UNTOUCHED, { setpoint_mm: 0, command: 3, sequence: 1 }, leaf(812))
  expect(after(control, 60)).toEqual({ opening_mm: 812, direction: 'still' })
})

test('a command is carried out once for each sequence number', () => {
  const first = obey(UNTOUCHED, { setpoint_mm: 1000, command: 4, sequence: 1 }, leaf(500))
  const again = obey(first, { setpoint_mm: 200, command: 4, sequence: 1 }, { ...leaf(700), t: unixMs(t0 + 40_000) })
  expect(again.ordered).toBe(first.ordered)
  expect(again.setpoint_mm).toBe(200)
  expect(obey(again, { setpoint_mm: 200, command: 4, sequence: 2 }, leaf(700)).ordered?.to_mm).toBe(200)
})

test('whatever is commanded, the leaf stays between its end stops and never outruns its motor', () => {
  const steps = fc.array(fc.record({ command: fc.integer({ min: 0, max: 5 }), setpoint_mm: fc.nat(65_535), wait_s: fc.nat(600) }), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 2000 }), (sequence, start) => {
      let [control, opening_mm, t] = [UNTOUCHED, start, t0]
      for (const [i, step] of sequence.entries()) {
        control = obey(control, { ...step, sequence: i + 1 }, { ...leaf(opening_mm), t: unixMs(t) })
        t += step.wait_s * 1000
        const next = control.ordered ? positionAt(control.ordered, unixMs(t)).opening_mm : opening_mm
        expect(Math.abs(next - opening_mm)).toBeLessThanOrEqual(5 * step.wait_s + 1)
        expect(next >= 0 && next <= 2000).toBe(true)
        opening_mm = next
      }
    }),
  )
})

const schedule: fc.Arbitrary<Schedule> = fc.record({
  id: fc.string({ minLength: 1, maxLength: 8 }),
  seed: fc.nat(),
  leaf: fc.nat(17),
  base_mm: fc.integer({ min: 50, max: 20_000 }),
  height_mm: fc.integer({ min: 1000, max: 20_000 }),
  speed_mm_s: fc.double({ min: 3.3, max: 8.3, noNaN: true }),
})

test('a leaf that nobody commands moves now and then and never jumps', () => {
  fc.assert(
    fc.property(schedule, fc.nat(1e9), fc.integer({ min: 1, max: 1_200_000 }), (s, from, ms) => {
      const at = (t: number) => positionAt(scheduledMotion(s, unixMs(t)), unixMs(t)).opening_mm
      const way = Math.abs(at(t0 + from + ms) - at(t0 + from))
      expect(way).toBeLessThanOrEqual((s.speed_mm_s * ms) / 1000 + 1)
    }),
  )
  const s: Schedule = { id: 'a', seed: 1, leaf: 0, base_mm: 1000, height_mm: 3000, speed_mm_s: 5 }
  const hours = Array.from({ length: 24 }, (_, i) => unixMs(t0 + i * 3_600_000))
  expect(new Set(hours.map((t) => positionAt(scheduledMotion(s, t), t).opening_mm)).size).toBeGreaterThan(5)
})
