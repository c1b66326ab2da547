import { expect, test } from 'vitest'
import { FAILURES, REFUSALS } from '#contract/command.ts'
import { BAD_REASONS } from '#contract/reading.ts'
import { en } from './en.ts'
import { openI18n } from './i18n.ts'
import { zh } from './zh.ts'

type Leaf = { key: string; text: string }
function leavesOf(tree: object, prefix = ''): Leaf[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [{ key: prefix + key, text: value }] : leavesOf(value, `${prefix}${key}.`),
  )
}
const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? '').sort()

test('both languages say the same things, none of them empty', () => {
  const [chinese, english] = [leavesOf(zh), leavesOf(en)]
  expect(english.map((l) => l.key)).toEqual(chinese.map((l) => l.key))
  for (const leaf of [...chinese, ...english]) expect(leaf.text.trim(), leaf.key).not.toBe('')
})

test('both languages use the same placeholders in each text', () => {
  const english = new Map(leavesOf(en).map((l) => [l.key, l.text]))
  for (const { key, text } of leavesOf(zh)) expect(placeholders(english.get(key) ?? ''), key).toEqual(placeholders(text))
})

test('every reason for a bad value has words in both languages', () => {
  for (const messages of [zh, en]) expect(Object.keys(messages.reason).sort()).toEqual(Object.keys(BAD_REASONS).sort())
})

test('every reason why a gate was not moved has words in both languages, and what to do next', () => {
  const reasons = [...new Set<string>([...REFUSALS, ...FAILURES, 'no_answer'])].sort()
  for (const { command } of [zh, en]) for (const said of [command.reason, command.next]) expect(Object.keys(said).sort()).toEqual(reasons)
})

test('no text breaks the message syntax', () => {
  for (const locale of ['zh', 'en'] as const) {
    const { t } = openI18n(locale).global
    for (const { key, text } of leavesOf(locale === 'zh' ? zh : en)) {
      const named = Object.fromEntries(placeholders(text).map((p) => [p, `<${p}>`]))
      expect(t(key, named)).toBe(text.replaceAll(/\{(\w+)\}/g, '<$1>'))
    }
  }
})
