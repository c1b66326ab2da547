import { computed, onBeforeUnmount, type Ref, ref, type ShallowRef, shallowRef, watch } from 'vue'
import { ALARM_KINDS, type AlarmKind, type AlarmRule } from '#contract/alarm.ts'
import type { CorrectionView } from '#contract/http/analysis.ts'
import type { HistoryReply } from '#contract/http.ts'
import { isAbort } from '../http/client.ts'
import { useClient } from '../http/provided.ts'
import { type GateSignal, useGates } from '../live/gates.ts'
import { joinLines, mergeSpans, type Span, type TailPoint, type TrendColumns, toLine } from './columns.ts'
import { keyOf, type Pane, panesOf, type TrendLine } from './panes.ts'
import { extendTail } from './tail.ts'
import { current, rereadMs, type Trail, windowOf } from './view.ts'

export type Fetched = { readonly at: 'loading' } | { readonly at: 'ready' } | { readonly at: 'failed'; readonly detail: string }
/** A level at which an alarm is raised, in the unit of its pane. */
export type Limit = { readonly gate: string; readonly kind: AlarmKind; readonly value: number }

/** So much of the window's width is read on either side of it, so that moving it needs no waiting. */
const MARGIN = 0.5
/** A moved window is read anew when it has come to rest. */
const REST_MS = 250
const MOST_POINTS = 10_000
const LIMIT_KINDS: readonly string[] = ['level_guarantee', 'level_warning']

type Answer = { readonly reply: HistoryReply; readonly until: number }

/** The data of lines over the window shown: read from history as fine as the screen can show, continued by what comes live. */
export function useTrend(lines: Readonly<Ref<readonly TrendLine[]>>, trail: ShallowRef<Trail>) {
  const client = useClient()
  const gates = useGates()
  const view = computed(() => current(trail.value))
  const shownSpan = computed<Span>(() => windowOf(view.value, gates.now))
  const panes = computed<Pane[]>(() => panesOf(lines.value))
  const gateIds = computed(() => [...new Set(lines.value.map((l) => l.gate))])
  const signals = computed(() => {
    const byId = new Map(gates.signals.map((s) => [s.gate.id, s]))
    return gateIds.value.flatMap((id): GateSignal | GateSignal[] => byId.get(id) ?? [])
  })

  const answers = shallowRef<ReadonlyMap<string, Answer>>(new Map())
  const corrections = shallowRef<readonly CorrectionView[]>([])
  const rules = shallowRef<readonly AlarmRule[]>([])
  const covered = shallowRef<{ span: Span; lines: string } | null>(null)
  const fetched = shallowRef<Fetched>({ at: 'loading' })
  const widthPx = ref(0)

  const tails = new Map<string, Map<string, TailPoint[]>>()
  const tailLength = ref(0)
  watch(
    () => signals.value.map((s) => s.state.value),
    (states) => {
      for (const state of states) {
        if (!state) continue
        const tail = tails.get(state.gate) ?? new Map<string, TailPoint[]>()
        tails.set(state.gate, tail)
        if (extendTail(tail, state)) tailLength.value++
      }
    },
    { immediate: true },
  )

  // A view that ended in the past is not continued by what comes now.
  const followsLive = computed(() => view.value.kind === 'live')
  const columnsByPane = computed(() => {
    if (followsLive.value) void tailLength.value
    const byId = new Map(signals.value.map((s) => [s.gate.id, s.gate]))
    return new Map(
      panes.value.map((pane): [string, TrendColumns] => [
        pane.kind,
        joinLines(
          pane.lines.map((line) => {
            const { reply, until } = answers.value.get(line.gate) ?? { reply: { bucket_ms: 0, t: [] }, until: 0 }
            const tail = followsLive.value ? (tails.get(line.gate)?.get(line.metric) ?? []) : []
            const gapMs = byId.get(line.gate)?.stale_after_ms ?? 0
            return [keyOf(line), toLine(reply, line.metric, { tail, until, gapMs })]
          }),
        ),
      ]),
    )
  })
  const columnsOf = (pane: Pane): TrendColumns => columnsByPane.value.get(pane.kind) ?? { x: [], series: {} }

  /** Where an analyst has marked or replaced what was measured. */
  const ruledOf = (pane: Pane): Span[] =>
    mergeSpans(corrections.value.filter((c) => pane.lines.some((l) => l.gate === c.gate && l.metric === c.metric)))
  const limitsOf = (pane: Pane): Limit[] => {
    if (pane.kind !== 'level') return []
    const own = new Set(pane.lines.filter((l) => l.metric === 'level_up').map((l) => l.gate))
    return rules.value.flatMap(({ gate, kind, limit, enabled }) =>
      gate !== null && own.has(gate) && enabled && limit !== null ? [{ gate, kind, value: limit }] : [],
    )
  }
  const bucketMs = computed(() => Math.max(0, ...[...answers.value.values()].map((a) => a.reply.bucket_ms)))
  const isEmpty = computed(() => [...columnsByPane.value.values()].every((c) => c.x.length === 0))
  const shaded = computed(() => [...columnsByPane.value.values()].some((c) => Object.values(c.series).some((s) => s.bad.length > 0)))

  const linesKey = computed(() => lines.value.map(keyOf).join())
  function spanToRead(): Span {
    const { from, to } = windowOf(view.value, gates.now)
    const margin = Math.round((to - from) * MARGIN)
    return { from: Math.max(0, from - margin), to: Math.min(to + margin, Math.max(to, gates.now)) }
  }
  /** Is what has been read enough to draw the window, and not too coarse for it? */
  function isCovered(): boolean {
    const { from, to } = windowOf(view.value, gates.now)
    const read = covered.value
    if (!read || read.lines !== linesKey.value || fetched.value.at === 'failed') return false
    // What comes live carries a live view on from where the history was read.
    const end = view.value.kind === 'live' ? gates.now - 2 * rereadMs(view.value.rangeMs) : to
    return read.span.from <= from && end <= read.span.to && read.span.to - read.span.from <= (to - from) * (1 + 3 * MARGIN)
  }

  let running: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  async function read(): Promise<void> {
    clearTimeout(timer)
    running?.abort()
    if (lines.value.length === 0 || widthPx.value === 0) return
    const controller = new AbortController()
    running = controller
    const { signal } = controller
    const span = spanToRead()
    const shown = windowOf(view.value, gates.now)
    const key = linesKey.value
    const points = Math.min(MOST_POINTS, Math.ceil((widthPx.value * (span.to - span.from)) / Math.max(1, shown.to - shown.from)))
    try {
      const found = await Promise.all(
        gateIds.value.map(async (gate) => {
          const metrics = lines.value.filter((l) => l.gate === gate).map((l) => l.metric)
          const [reply, ruled] = await Promise.all([
            client.history(gate, { metrics, ...span, points }, { signal }),
            client.review.corrections(gate, span, { signal }),
          ])
          return { gate, reply, ruled }
        }),
      )
      answers.value = new Map(found.map(({ gate, reply }) => [gate, { reply, until: span.to }]))
      corrections.value = found.flatMap((f) => f.ruled).filter((c) => c.withdrawn_at === null)
      covered.value = { span, lines: key }
      fetched.value = { at: 'ready' }
    } catch (error) {
      if (isAbort(error) || signal.aborted) return
      fetched.value = { at: 'failed', detail: error instanceof Error ? error.message : String(error) }
    }
    const { value } = view
    if (value.kind === 'live') timer = setTimeout(() => void read(), rereadMs(value.rangeMs))
  }

  watch([view, linesKey, () => widthPx.value > 0], () => {
    if (isCovered()) {
      // What is on the screen is right; it becomes finer, or its margins wider, when the hand rests.
      clearTimeout(timer)
      timer = setTimeout(() => void read(), REST_MS)
      return
    }
    // Loading is told when the picture is not yet that of the view; a re-reading goes on quietly.
    if (fetched.value.at !== 'loading') fetched.value = { at: 'loading' }
    void read()
  })
  // What arrived at the server while the link was away is in the history only.
  watch(
    () => gates.link.at,
    (at, before) => {
      if (at === 'live' && before === 'lost') void read()
    },
  )
  watch(
    () => gateIds.value.join(),
    async () => {
      const found = await Promise.all(gateIds.value.map((gate) => client.alarms.rules(gate).catch(() => [])))
      // A chart without its limits is still a chart: the rules are read again with the next change.
      rules.value = found.flat().filter((r) => LIMIT_KINDS.includes(r.kind) && ALARM_KINDS[r.kind].metric === 'level_up')
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    clearTimeout(timer)
    running?.abort()
  })

  return { view, shownSpan, panes, signals, fetched, widthPx, columnsOf, ruledOf, limitsOf, bucketMs, isEmpty, shaded, corrections, read }
}
