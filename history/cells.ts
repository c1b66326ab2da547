import type { Sample } from './port.ts'
import type { Slice } from './slice.ts'
import type { Span } from './span.ts'

/** Widths of the roll-ups, ms. They begin at whole multiples of it, UTC; a day of UTC is Beijing's water day. */
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000
export type Level = typeof HOUR_MS | typeof DAY_MS
export type Width = Level | typeof MINUTE_MS
export const WIDTHS: readonly Width[] = [MINUTE_MS, HOUR_MS, DAY_MS]

/** Roll-ups of one gate and metric. A window in `stale` was touched after it was rolled up, and its samples have to be asked. */
export type RolledUp<S extends { readonly from: number } = Slice> = { readonly slices: readonly S[]; readonly stale: ReadonlySet<number> }
export type OfGates = { readonly gates: readonly string[]; readonly metric: string; readonly span: Span }

/** What a store is asked for. A gate of which it has nothing may be left out of the answer. */
export type SliceSource<S extends { readonly from: number } = Slice> = {
  readonly rolledUp: (level: Level, of: OfGates) => Promise<ReadonlyMap<string, RolledUp<S>>>
  /** By time. */
  readonly samplesOf: (of: OfGates) => Promise<ReadonlyMap<string, readonly Sample[]>>
}

export type CellsQuery<S extends { readonly from: number } = Slice> = OfGates & {
  /** Widest first; none asks for samples alone. */
  readonly levels: readonly Level[]
  /** May this window be told by one slice? Not where a period's edge or a correction lies in it. */
  readonly mayUse: (gate: string, window: Span) => boolean
  readonly sliceSamples: (samples: readonly Sample[], of: { gate: string; span: Span }) => S[]
}

/** More separate stretches than this are asked for as one that holds them all. */
const MOST_STRETCHES = 16
const AT_ONCE = 4

/** For each gate slices by time that tell a span as it is: from the widest roll-ups that hold all of their samples, and where none does from the samples. */
export async function cellsOf<S extends { readonly from: number }>(
  source: SliceSource<S>,
  query: CellsQuery<S>,
): Promise<Map<string, S[]>> {
  const { gates, metric, span, levels } = query
  const found = new Map<string, S[]>([...new Set(gates)].map((gate) => [gate, []]))
  let open = new Map<string, Span[]>([...found.keys()].map((gate) => [gate, [span]]))
  for (const level of levels) {
    const got = new Map<string, RolledUp<S>[]>()
    for (const stretch of fewStretches(open))
      for (const [gate, rolledUp] of await source.rolledUp(level, { ...stretch, metric }))
        got.set(gate, [...(got.get(gate) ?? []), rolledUp])
    const rest = new Map<string, Span[]>()
    for (const [gate, spans] of open) {
      const known = new Map((got.get(gate) ?? []).flatMap((r) => r.slices.map((s) => [s.from, s] as const)))
      const stale = new Set((got.get(gate) ?? []).flatMap((r) => [...r.stale]))
      const left: Span[] = []
      for (const window of spans.flatMap((s) => [...windows(s, level)])) {
        if (window.to - window.from < level || stale.has(window.from) || !query.mayUse(gate, window)) addSpan(left, window)
        else {
          const slice = known.get(window.from)
          if (slice) found.get(gate)?.push(slice)
        }
      }
      if (left.length > 0) rest.set(gate, left)
    }
    open = rest
  }
  const stretches = stretchesOf(open)
  for (let i = 0; i < stretches.length; i += AT_ONCE) {
    await Promise.all(
      stretches.slice(i, i + AT_ONCE).map(async (stretch) => {
        const samples = await source.samplesOf({ ...stretch, metric })
        for (const gate of stretch.gates)
          found.get(gate)?.push(...query.sliceSamples(samples.get(gate) ?? [], { gate, span: stretch.span }))
      }),
    )
  }
  for (const slices of found.values()) slices.sort((a, b) => a.from - b.from)
  return found
}

/** The windows of a level that a span touches, cut at its ends. */
function* windows({ from, to }: Span, width: number): Generator<Span> {
  for (let at = from; at < to; ) {
    const end = Math.min(at - (at % width) + width, to)
    yield { from: at, to: end }
    at = end
  }
}

/** Appends a span, or lengthens the last one. */
export function addSpan(spans: Span[], { from, to }: Span): void {
  const last = spans.at(-1)
  if (last?.to === from) spans[spans.length - 1] = { from: last.from, to }
  else spans.push({ from, to })
}

type Stretch = { readonly gates: readonly string[]; readonly span: Span }

function stretchesOf(open: ReadonlyMap<string, readonly Span[]>): Stretch[] {
  const bySpan = new Map<string, { span: Span; gates: string[] }>()
  for (const [gate, spans] of open)
    for (const span of spans) {
      const key = `${span.from} ${span.to}`
      const stretch = bySpan.get(key) ?? { span, gates: [] }
      stretch.gates.push(gate)
      bySpan.set(key, stretch)
    }
  return [...bySpan.values()]
}

function fewStretches(open: ReadonlyMap<string, readonly Span[]>): Stretch[] {
  const stretches = stretchesOf(open)
  if (stretches.length <= MOST_STRETCHES) return stretches
  const span = {
    from: Math.min(...stretches.map((s) => s.span.from)),
    to: Math.max(...stretches.map((s) => s.span.to)),
  }
  return [{ gates: [...open.keys()], span }]
}
