import fc from 'fast-check'
import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { canonicalJson } from './canonical.ts'
import { Command, type CommandAction, decodeCommand, encodeCommand } from './command.ts'
import { ControlLimits, tightest } from './control-limits.ts'
import { packSealed, packSigned, sealInput, unpackSealed, unpackSigned } from './signed.ts'

const ms = fc.integer({ min: 0, max: 4_102_444_800_000 })
const opening = fc.double({ min: 0, max: 20, noNaN: true }).map((n) => (n === 0 ? 0 : n))
const action: fc.Arbitrary<CommandAction> = fc.oneof(
  fc.constant<CommandAction>({ kind: 'stop' }),
  fc.record({ kind: fc.constant('open' as const), opening_m: opening, leaf: fc.option(fc.integer({ min: 1, max: 99 })) }),
  fc.record({ kind: fc.constant('tag' as const), reason: fc.string({ minLength: 1, maxLength: 50 }), by: fc.constant('li'), until: ms }),
)
const command: fc.Arbitrary<Command> = fc.record({
  v: fc.constant(1 as const),
  id: fc.uuid(),
  area: fc.constant('yongji'),
  site: fc.constant('yj-s001'),
  structure: fc.constant('yj-yj-01'),
  counter: fc.integer({ min: 1, max: 1e9 }),
  issued: ms,
  expires: ms,
  by: fc.constant('wang'),
  action,
})

test('a command is read as it was written', () => {
  fc.assert(
    fc.property(command, (c) => {
      expect(Value.Check(Command, c)).toBe(true)
      expect(decodeCommand(encodeCommand(c))).toEqual(c)
    }),
  )
})

test('a command in any other spelling is no command', () => {
  fc.assert(
    fc.property(command, (c) => {
      const text = canonicalJson(c)
      for (const other of [` ${text}`, JSON.stringify(c, null, 1), text.replace('"v":1', '"v":1.0'), text.replace('{', '{"x":1,')])
        expect(decodeCommand(new TextEncoder().encode(other))).toBeNull()
    }),
  )
})

test('bytes sealed for one purpose are other bytes for another, and packing keeps the parts', () => {
  const content = new Uint8Array([1, 2, 3])
  expect(sealInput('command', content)).not.toEqual(sealInput('time', content))
  const signed = { keyId: new Uint8Array(8).fill(7), signature: new Uint8Array(64).fill(9), content }
  expect(unpackSigned(packSigned(signed))).toEqual(signed)
  const sealed = { mac: new Uint8Array(32).fill(5), content }
  expect(unpackSealed(packSealed(sealed))).toEqual(sealed)
  expect(unpackSigned(new Uint8Array(73))).toBeNull()
})

test('limits that the center asks for never widen those of the gatehouse', () => {
  const span = fc.record({ lowest_m: fc.double({ min: -5, max: 5, noNaN: true }), highest_m: fc.double({ min: -5, max: 40, noNaN: true }) })
  const limits = fc.record({
    lowest_opening_m: fc.double({ min: 0, max: 3, noNaN: true }),
    highest_opening_m: fc.double({ min: 0.1, max: 5, noNaN: true }),
    max_step_m: fc.double({ min: 0.01, max: 2, noNaN: true }),
    max_difference_m: fc.double({ min: 0.01, max: 2, noNaN: true }),
    min_interval_s: fc.integer({ min: 0, max: 3600 }),
    max_starts_per_h: fc.integer({ min: 1, max: 60 }),
    drawdown_m_per_h: fc.double({ min: 0.01, max: 1, noNaN: true }),
    level_up: span,
    level_down: span,
  })
  fc.assert(
    fc.property(limits, limits, (own, asked) => {
      const both = tightest(own, asked)
      expect(Value.Check(ControlLimits, both)).toBe(true)
      expect(both.lowest_opening_m).toBeGreaterThanOrEqual(own.lowest_opening_m)
      for (const k of ['highest_opening_m', 'max_step_m', 'max_difference_m', 'max_starts_per_h', 'drawdown_m_per_h'] as const)
        expect(both[k]).toBeLessThanOrEqual(own[k])
      expect(both.min_interval_s).toBeGreaterThanOrEqual(own.min_interval_s)
      for (const side of ['level_up', 'level_down'] as const) {
        expect(both[side]?.lowest_m).toBeGreaterThanOrEqual(own[side].lowest_m)
        expect(both[side]?.highest_m).toBeLessThanOrEqual(own[side].highest_m)
      }
      expect(tightest(own, {})).toEqual(own)
    }),
  )
})
