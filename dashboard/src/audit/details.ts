import { dateTimeText } from '../display/time.ts'

/** What an entry holds beside who, what and when, as lines to read. */
export type DetailLine = { readonly name: string; readonly text: string }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** No quantity of ours is so large: it is a moment, in ms. */
const LEAST_MOMENT = 1e12

function textOf(value: unknown): string {
  if (typeof value === 'number' && value >= LEAST_MOMENT) return dateTimeText(value)
  if (value === null || value === undefined) return '—'
  if (Array.isArray(value)) return value.length === 0 ? '—' : value.map(textOf).join('; ')
  if (isObject(value))
    return Object.entries(value)
      .map(([name, inner]) => `${name} ${textOf(inner)}`)
      .join(', ')
  return String(value)
}

/** Of `before` and `after` only what differs, as `name: old → new`; the rest as it stands. Ids that say nothing to a reader come last. */
export function detailLines(details: Readonly<Record<string, unknown>>): DetailLine[] {
  const { before, after, ...rest } = details
  const changed =
    isObject(before) && isObject(after)
      ? Object.keys(after)
          .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
          .map((name) => ({ name, text: `${textOf(before[name])} → ${textOf(after[name])}` }))
      : Object.entries({ before, after }).flatMap(([name, value]) => (value === undefined ? [] : [{ name, text: textOf(value) }]))
  const others = Object.entries(rest).flatMap(([name, value]) => (value === null || value === '' ? [] : [{ name, text: textOf(value) }]))
  const isId = ({ name }: DetailLine): boolean => ['command', 'id', 'lockout', 'counter'].includes(name)
  return [...changed, ...others.filter((l) => !isId(l)), ...others.filter(isId)]
}
