import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openI18n, type Say } from '../i18n/i18n.ts'
import { ageOf, ageText } from './age.ts'
import { isNotable } from './notable.ts'
import { faultBits, fixed, shareText } from './number.ts'
import { axisTexts, beijingDate, clockText, dateTimeText, dayText, momentText } from './time.ts'
import { valueWords } from './value.ts'

const sayIn = (locale: 'zh' | 'en'): Say => {
  const { t } = openI18n(locale).global
  return (key, named = {}) => t(key, named)
}
const noon = Date.UTC(2026, 10, 23, 4, 0, 0)

describe('times', () => {
  test('are Beijing time on a 24-hour clock, wherever the workstation stands', () => {
    expect(dateTimeText(Date.UTC(2026, 10, 23, 16, 5, 9))).toBe('2026-11-24 00:05:09')
    expect(clockText(noon)).toBe('12:00:00')
    expect(dayText(Date.UTC(2026, 11, 31, 16))).toBe('2027-01-01')
  })
  test('of the marks of an axis are the same as their labels', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1992, 0, 1), max: Date.UTC(2090, 0, 1) }), (t) => {
        const d = beijingDate(t)
        const two = (n: number): string => String(n).padStart(2, '0')
        const day = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`
        expect(`${day} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`).toBe(dateTimeText(t))
      }),
    )
  })
  test('of another day carry the date, of another year the year', () => {
    expect(momentText(noon - 1000, noon)).toBe('11:59:59')
    expect(momentText(noon - 86_400_000, noon)).toBe('11-22 12:00:00')
    expect(momentText(noon - 366 * 86_400_000, noon)).toBe('2025-11-22 12:00:00')
  })
  test('on an axis name the day where it begins', () => {
    const midnight = Date.UTC(2026, 10, 23, 16)
    expect(axisTexts([midnight - 3_600_000, midnight, midnight + 3_600_000], 3_600_000)).toEqual(['23:00\n11-23', '00:00\n11-24', '01:00'])
    expect(axisTexts([midnight, midnight + 1000], 1000)).toEqual(['00:00:00\n11-24', '00:00:01'])
    expect(axisTexts([midnight], 86_400_000)).toEqual(['11-24'])
  })
})

describe('ages', () => {
  test('are said in the unit that a person would use', () => {
    const say = sayIn('zh')
    expect(ageText(0, say)).toBe('0 秒')
    expect(ageText(119_999, say)).toBe('119 秒')
    expect(ageText(120_000, say)).toBe('2 分')
    expect(ageText(3_900_000, say)).toBe('1 时 05 分')
    expect(ageText(3 * 86_400_000 + 4 * 3_600_000, say)).toBe('3 天 04 时')
    expect(ageText(3_900_000, sayIn('en'))).toBe('1 h 05 min')
  })
  test('of a source whose clock runs ahead are told when it is more than a few seconds', () => {
    expect(ageText(-5000, sayIn('zh'))).toBe('0 秒')
    expect(ageText(-12_000, sayIn('zh'))).toBe('超前 12 秒')
  })
  test('never look younger than they are by more than the unit shown', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 10 }), (ms) => {
        const age = ageOf(ms)
        const shown = { seconds: 1000, minutes: 60_000, hours: 60_000, days: 3_600_000, future: 0 }[age.in]
        const said =
          age.in === 'hours' ? (age.h * 60 + age.m) * 60_000 : age.in === 'days' ? (age.d * 24 + age.h) * 3_600_000 : age.n * shown
        expect(ms - said).toBeGreaterThanOrEqual(0)
        expect(ms - said).toBeLessThan(shown)
      }),
    )
  })
})

describe('a change', () => {
  test('draws the eye when the water or a leaf has really moved, not when a sensor trembles', () => {
    expect(isNotable('level_up', 3.6, 3.63)).toBe(false)
    expect(isNotable('level_up', 3.6, 3.64)).toBe(true)
    expect(isNotable('opening', 0, 0.003)).toBe(false)
    expect(isNotable('opening', 0, 0.02)).toBe(true)
    expect(isNotable('flow', 3800, 3820)).toBe(false)
    expect(isNotable('flow', 3800, 3700)).toBe(true)
  })
  test('of a state always does', () => {
    expect(isNotable('mode', 1, 2)).toBe(true)
    expect(isNotable('fault', 0, 1)).toBe(true)
    expect(isNotable('door', 1, 1)).toBe(false)
  })
})

describe('numbers', () => {
  test('keep their decimals, so that columns stay aligned', () => {
    expect(fixed(1.2, 3)).toBe('1.200')
    expect(fixed(-0.05, 2)).toBe('−0.05')
    expect(fixed(-0.0001, 2)).toBe('0.00')
    expect(shareText(0.4139)).toBe('41 %')
    expect(shareText(null)).toBeNull()
  })
  test('that are bit fields name the bits', () => {
    expect(faultBits(0)).toBe('')
    expect(faultBits(9)).toBe('0, 3')
    expect(faultBits(2 ** 31 - 1).split(', ')).toHaveLength(31)
  })
  test('with a meaning are said in words, measured ones with their unit', () => {
    const say = sayIn('zh')
    expect(valueWords('level_up', 3.5, { say })).toEqual({ text: '3.500', unit: 'm' })
    expect(valueWords('opening_2', 0.42, { say, decimals: 2 })).toEqual({ text: '0.42', unit: 'm' })
    expect(valueWords('mode', 1, { say })).toEqual({ text: '远程', unit: '' })
    expect(valueWords('mode', 7, { say })).toEqual({ text: '7', unit: '' })
    expect(valueWords('door', 1, { say }).text).toBe('打开')
    expect(valueWords('fault', 9, { say }).text).toBe('故障位 0, 3')
    expect(valueWords('unheard_of', 1, { say })).toEqual({ text: '1.000', unit: '' })
  })
})
