import { leafOfOpening, metricOf } from '#contract/metrics.ts'

/** One line of a chart: a metric of a gate. */
export type TrendLine = { readonly gate: string; readonly metric: string }
export const keyOf = ({ gate, metric }: TrendLine): string => `${gate}:${metric}`

/** Metrics of one kind share a scale and so a pane; the panes share the time axis. `state`: codes, drawn as steps. */
export const PANE_KINDS = ['level', 'flow', 'opening', 'velocity', 'volume_total', 'temperature', 'battery', 'rssi', 'state'] as const
export type PaneKind = (typeof PANE_KINDS)[number]
export type Pane = { readonly kind: PaneKind; readonly unit: string; readonly lines: readonly TrendLine[] }

/** Shown at first: all levels and flows, and this many leaves. */
const LEAVES_AT_FIRST = 4

const KIND_OF: Readonly<Record<string, PaneKind>> = {
  level_up: 'level',
  level_down: 'level',
  flow_derived: 'flow',
  door: 'state',
  mode: 'state',
  moving: 'state',
  fault: 'state',
}

export function paneKindOf(metric: string): PaneKind | undefined {
  if (leafOfOpening(metric) !== undefined) return 'opening'
  return KIND_OF[metric] ?? PANE_KINDS.find((kind) => kind === metric)
}

export function panesOf(lines: readonly TrendLine[]): Pane[] {
  return PANE_KINDS.flatMap((kind): Pane[] => {
    const own = lines.filter((l) => paneKindOf(l.metric) === kind)
    const first = own[0]
    return first === undefined ? [] : [{ kind, unit: metricOf(first.metric)?.unit ?? '', lines: own }]
  })
}

export function firstChoice(metrics: readonly string[]): string[] {
  return metrics.filter((metric) => {
    const kind = paneKindOf(metric)
    return kind === 'level' || metric === 'flow' || (leafOfOpening(metric) ?? LEAVES_AT_FIRST + 1) <= LEAVES_AT_FIRST
  })
}

/** Colour and dash of the n-th line of a pane: told apart by dash where colour fails. */
export const LINE_COLOURS = 6
const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [9, 3, 2, 3]]
export function lineStyle(n: number): { colour: number; dash: readonly number[] } {
  return { colour: n % LINE_COLOURS, dash: DASHES[(n + Math.floor(n / LINE_COLOURS)) % DASHES.length] ?? [] }
}
