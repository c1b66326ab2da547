import type { Condition } from '../situation/condition.ts'

/** The tokens that a canvas draws with: it knows no style sheet. */
export type Palette = {
  readonly surface: string
  readonly ground: string
  readonly line: string
  readonly strong: string
  readonly text: string
  readonly muted: string
  readonly dim: string
  readonly water: string
  readonly waterLine: string
  readonly leaf: string
  readonly concrete: string
  readonly focus: string
  readonly warnGround: string
  readonly warnText: string
  readonly font: string
  readonly condition: Readonly<Record<Condition, string>>
}

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    surface: token('surface'),
    ground: token('ground'),
    line: token('line'),
    strong: token('line-strong'),
    text: token('text'),
    muted: token('muted'),
    dim: token('dim'),
    water: token('water'),
    waterLine: token('water-line'),
    leaf: token('leaf'),
    concrete: token('concrete'),
    focus: token('focus'),
    warnGround: token('warn-ground'),
    warnText: token('warn-text'),
    font: getComputedStyle(document.body).fontFamily,
    condition: {
      fault: token('fault'),
      offline: token('offline'),
      bad: token('bad'),
      stale: token('stale'),
      no_data: token('no-data'),
      normal: token('line-strong'),
    },
  }
}

const PALE_SHARE = 55
/** What is drawn with it looks faded and still covers what is under it, so that a part of it can be drawn anew. */
export function pale(palette: Palette): Palette {
  const faded = (colour: string): string => `color-mix(in srgb, ${colour} ${PALE_SHARE}%, ${palette.surface})`
  const { font, surface, condition, ...colours } = palette
  const fadedOf = <T extends object>(of: T): T => Object.fromEntries(Object.entries(of).map(([name, colour]) => [name, faded(colour)])) as T
  return { font, surface, condition: fadedOf(condition), ...fadedOf(colours) }
}
