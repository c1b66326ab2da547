import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')

function tokensOf(selector: string): Map<string, string> {
  const start = css.indexOf(`${selector} {`)
  const block = css.slice(start, css.indexOf('}', start))
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1] ?? '', m[2] ?? '']))
}

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

const GROUNDS = ['ground', 'surface', 'raised', 'hover', 'selected', 'changed']
const TEXTS = ['text', 'muted', 'dim', 'link', 'fault', 'offline', 'bad', 'stale', 'no-data']
const PAIRS = [
  ...TEXTS.flatMap((text) => GROUNDS.slice(0, 4).map((ground) => [text, ground] as const)),
  ...GROUNDS.map((ground) => ['text', ground] as const),
  ['alarm-text', 'alarm-ground'],
  ['warn-text', 'warn-ground'],
  ['past-text', 'past-ground'],
  ['past-line', 'surface'],
] as const
const DRAWN = ['line-strong', 'focus', 'bar', 'leaf', 'water-line', ...[1, 2, 3, 4, 5, 6].map((n) => `trace-${n}`)]

describe.each([':root', ':root[data-theme="dark"]'])('%s', (selector) => {
  const tokens = tokensOf(selector)
  const ratio = (a: string, b: string): number => contrast(tokens.get(a) ?? '', tokens.get(b) ?? '')

  test.each(PAIRS)('%s on %s is read easily: at least 4.5 : 1', (text, ground) => {
    expect(ratio(text, ground)).toBeGreaterThanOrEqual(4.5)
  })
  test.each(DRAWN)('what is drawn in %s is seen: at least 3 : 1', (token) => {
    expect(ratio(token, 'surface')).toBeGreaterThanOrEqual(3)
  })
})

test('both themes have the same colours', () => {
  expect([...tokensOf(':root').keys()]).toEqual([...tokensOf(':root[data-theme="dark"]').keys()])
})
