import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LiveState } from '#contract/live.ts'
import { liveTopic } from '#contract/topics.ts'
import { LastStates } from './last-states.ts'

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const stateAt = (t: number, v: number | null, extra: Partial<LiveState> = {}): LiveState => ({
  gate: 'yc-zh-03',
  area: 'yichang',
  site: 'yc-s012',
  online: true,
  metrics: { level_up: { t, rx: t, v, q: v === null ? 1 : 0 } },
  ...extra,
})
const topic = liveTopic('yichang', 'yc-zh-03')

test('whatever the order of arrival, the newest value of a metric stays', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(1000), { minLength: 1 }), (times) => {
      const states = new LastStates()
      for (const t of times) states.take(topic, bytes(stateAt(t, t / 10)))
      expect(states.get('yc-zh-03')?.metrics['level_up']?.t).toBe(Math.max(...times))
    }),
  )
})

test('a repeated or late message is nothing new, a lost contact is', () => {
  const states = new LastStates()
  expect(states.take(topic, bytes(stateAt(10, 1)))).toEqual({ kind: 'changed', gate: 'yc-zh-03' })
  expect(states.take(topic, bytes(stateAt(10, 1)))).toEqual({ kind: 'nothing new' })
  expect(states.take(topic, bytes(stateAt(9, 2)))).toEqual({ kind: 'nothing new' })
  expect(states.take(topic, bytes(stateAt(10, 1, { online: false })))).toEqual({ kind: 'changed', gate: 'yc-zh-03' })
  expect(states.get('yc-zh-03')?.online).toBe(false)
})

test('no message makes it throw, and what is no live state is refused', () => {
  const states = new LastStates()
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (noise) => {
      expect(states.take(topic, noise).kind).toBe('refused')
    }),
  )
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(states.take(topic, bytes(value)).kind).toBe('refused')
    }),
  )
  expect(states.take(topic, Buffer.alloc(65 * 1024, 0x20)).kind).toBe('refused')
  expect(states.size).toBe(0)
})

test('a body that tells of another gate than its topic is refused', () => {
  const states = new LastStates()
  expect(states.take(liveTopic('wulanbuhe', 'yc-zh-03'), bytes(stateAt(1, 1))).kind).toBe('refused')
  expect(states.take(liveTopic('yichang', 'yc-zh-04'), bytes(stateAt(1, 1))).kind).toBe('refused')
})

test('metrics outside the catalogue take no memory, and an empty message forgets the gate', () => {
  const states = new LastStates()
  const value = { t: 1, rx: 1, v: 1, q: 0 }
  const text = JSON.stringify(stateAt(1, 1)).replace(
    '"level_up"',
    `"__proto__":${JSON.stringify(value)},"nonsense":${JSON.stringify(value)},"level_up"`,
  )
  states.take(topic, Buffer.from(text))
  expect(Object.keys(states.get('yc-zh-03')?.metrics ?? {})).toEqual(['level_up'])
  states.take(topic, Buffer.alloc(0))
  expect(states.size).toBe(0)
})
