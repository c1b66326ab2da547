import { leafOfOpening, metricOf } from '#contract/metrics.ts'

/** Metrics of one kind share a scale and so a pane; the panes share the time axis. */
export const PANE_KINDS = ['level', 'flow', 'opening', 'velocity', 'battery', 'rssi'] as const
export type PaneKind = (typeof PANE_KINDS)[number]
export type Pane = { readonly kind: PaneKind; readonly unit: string; readonly metrics: readonly string[] }

/** Shown at first: all levels and flows, and this many leaves. */
const LEAVES_AT_FIRST = 4

export function paneKindOf(metric: string): PaneKind | undefined {
  if (metric === 'level_up' || metric === 'level_down') return 'level'
  if (leafOfOpening(metric) !== undefined) return 'opening'
  return PANE_KINDS.find((kind) => kind === metric)
}

export function panesOf(metrics: readonly string[]): Pane[] {
  return PANE_KINDS.flatMap((kind): Pane[] => {
    const own = metrics.filter((m) => paneKindOf(m) === kind)
    const first = own[0]
    return first === undefined ? [] : [{ kind, unit: metricOf(first)?.unit ?? '', metrics: own }]
  })
}

export function firstChoice(metrics: readonly string[]): string[] {
  return metrics.filter((metric) => {
    const kind = paneKindOf(metric)
    return kind === 'level' || kind === 'flow' || (leafOfOpening(metric) ?? LEAVES_AT_FIRST + 1) <= LEAVES_AT_FIRST
  })
}

/** Colour and dash of the n-th line of a pane: told apart by dash where colour fails. */
export const LINE_COLOURS = 6
const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [9, 3, 2, 3]]
export function lineStyle(n: number): { colour: number; dash: readonly number[] } {
  return { colour: n % LINE_COLOURS, dash: DASHES[(n + Math.floor(n / LINE_COLOURS)) % DASHES.length] ?? [] }
}
