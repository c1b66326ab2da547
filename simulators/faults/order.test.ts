import { expect, test } from 'vitest'
import { FAULT_KINDS, FAULT_ORDERS, parseOrder } from './order.ts'

const where = { place: 'day.yaml: faults.3', code: 'CONFIG_INVALID' } as const
const mistake = (value: unknown): string => {
  try {
    return JSON.stringify(parseOrder(value, where))
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}

test('what is left out has its default', () => {
  expect(parseOrder({ kind: 'exception', site: 'yc-s006' }, where)).toEqual({
    kind: 'exception',
    site: 'yc-s006',
    at_s: 0,
    share: 1,
    code: 4,
  })
})

test('a mistake is named with its place and its kind of fault, not as a union that fits nothing', () => {
  expect(mistake({ kind: 'spike', site: 'x', metric: 'flow' })).toBe('day.yaml: faults.3 (spike): must have required properties by')
  expect(mistake({ kind: 'late', site: 'x', delay_ms: 0 })).toBe('day.yaml: faults.3 (late): delay_ms must be >= 1')
  expect(mistake({ kind: 'late', site: 'x', delay_ms: 5, code: 4 })).toContain('(late):')
  expect(mistake({ kind: 'reboot', site: 'x' })).toContain('for_s')
  for (const nothing of [{ kind: 'hiccup' }, {}, null, 'late', { kind: 'toString' }]) {
    expect(mistake(nothing)).toBe(`day.yaml: faults.3: kind is not one of ${FAULT_KINDS.join(', ')}`)
  }
})

test('every kind is named by its own schema', () => {
  for (const kind of FAULT_KINDS) expect(FAULT_ORDERS[kind].properties.kind.const).toBe(kind)
})
