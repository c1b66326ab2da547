import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { PastMarks } from '#contract/http/past.ts'
import { useAlarms } from '../alarm/store.ts'
import { isAbort } from '../http/client.ts'
import { useClient } from '../http/provided.ts'
import { useGates } from '../live/gates.ts'
import { useTags } from '../tag/store.ts'
import { markBeside, momentAt, type Speed, type StretchAsk, shownAt, stepMsOf, stretchFrom } from './pace.ts'
import { type OpenThen, Stretch } from './stretch.ts'

const TICK_MS = 100
const HOUR_MS = 3_600_000
/** The shortest distance from now: what is on its way to history is not there yet. */
const LEAST_AGO_MS = 5000

/** The screen of a past moment, and the time that runs there. What it shows goes into the stores that every page reads. */
export const usePast = defineStore('past', () => {
  const client = useClient()
  const gates = useGates()
  const alarms = useAlarms()
  const tags = useTags()

  /** The moment that is shown; null is the present. */
  const at = ref<number | null>(null)
  const isPlaying = ref(false)
  const speed = ref<Speed>(60)
  /** Counts up with each jump: what was drawn of another moment is drawn anew. */
  const jumps = ref(0)
  const isWaiting = ref(false)
  const failure = ref('')
  const spanMs = ref(24 * HOUR_MS)
  /** The span of the time axis. */
  const span = shallowRef({ from: 0, to: 0 })
  const marks = shallowRef<PastMarks['items']>([])
  const open = shallowRef<readonly OpenThen[]>([])
  const lostSites = shallowRef<ReadonlySet<string>>(new Set())
  const isActive = computed(() => at.value !== null)

  let stretch: Stretch | undefined
  let next: { readonly ask: StretchAsk; readonly reading: Promise<Stretch | undefined> } | undefined
  let running: AbortController | undefined
  let timer: ReturnType<typeof setInterval> | undefined
  let [clock, ticked] = [0, 0]

  const lastMoment = (): number => gates.serverNow() - LEAST_AGO_MS
  const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
  const places = (): Map<string, { area: string; site: string }> =>
    new Map(gates.signals.map(({ gate }) => [gate.id, { area: gate.area, site: gate.site }]))

  function show(t: number): void {
    if (!stretch) return
    const frame = stretch.frameAt(t)
    at.value = t
    gates.showPast(frame)
    alarms.showPast(frame.alarms)
    tags.showPast(frame.tags)
    open.value = frame.open
    if (frame.lostSites.size !== lostSites.value.size || [...frame.lostSites].some((s) => !lostSites.value.has(s)))
      lostSites.value = frame.lostSites
  }

  async function read(ask: StretchAsk, signal: AbortSignal): Promise<Stretch | undefined> {
    try {
      const past = await client.past.stretch(ask, { signal })
      failure.value = ''
      return new Stretch(past, places())
    } catch (error) {
      if (!isAbort(error)) failure.value = wordsOf(error)
      return undefined
    }
  }

  function forget(): AbortController {
    running?.abort()
    running = new AbortController()
    next = undefined
    return running
  }

  async function readMarks(around: number): Promise<void> {
    const { from, to } = span.value
    if (around >= from && around <= to && to - from <= spanMs.value) return
    const end = Math.min(lastMoment(), Math.round(around + spanMs.value / 2))
    const asked = { from: Math.max(0, end - spanMs.value), to: end }
    span.value = asked
    marks.value = []
    try {
      const found = await client.past.marks(asked)
      if (span.value === asked) marks.value = found
    } catch (error) {
      failure.value = wordsOf(error)
    }
  }

  /** Stands still at a moment. */
  async function seek(moment: number): Promise<void> {
    const t = Math.min(Math.round(moment), lastMoment())
    stopClock()
    isPlaying.value = false
    const { signal } = forget()
    at.value = t
    gates.beginPast(t)
    isWaiting.value = true
    void readMarks(t)
    const found = await read(momentAt(t), signal)
    if (signal.aborted) return
    isWaiting.value = false
    if (!found) return
    stretch = found
    show(t)
    jumps.value++
  }

  function stopClock(): void {
    clearInterval(timer)
    timer = undefined
  }

  async function play(): Promise<void> {
    if (at.value === null) return
    isPlaying.value = true
    clock = at.value
    const { signal } = forget()
    isWaiting.value = true
    const found = await read(stretchFrom(clock, { speed: speed.value, now: lastMoment() }), signal)
    if (signal.aborted) return
    isWaiting.value = false
    if (!found) {
      isPlaying.value = false
      return
    }
    stretch = found
    ticked = performance.now()
    stopClock()
    timer = setInterval(tick, TICK_MS)
  }

  function tick(): void {
    const now = performance.now()
    const elapsed = now - ticked
    ticked = now
    if (!stretch || isWaiting.value) return
    clock += elapsed * speed.value
    if (clock > stretch.to) {
      clock = stretch.to
      void goOn()
      return
    }
    const t = Math.max(at.value ?? 0, shownAt(clock, stretch.stepMs))
    if (t !== at.value) show(t)
    if (clock > (stretch.from + stretch.to) / 2) readNext(stretch)
  }

  function readNext(after: Stretch): void {
    const ask = stretchFrom(Math.max(after.to, after.from + after.stepMs), { speed: speed.value, now: lastMoment() })
    if (next?.ask.from === ask.from || !running || ask.to - ask.from < ask.step_ms) return
    next = { ask, reading: read(ask, running.signal) }
  }

  async function goOn(): Promise<void> {
    if (!stretch || !running) return
    const { signal } = running
    readNext(stretch)
    if (!next) {
      // The present is reached.
      await pause()
      return
    }
    isWaiting.value = true
    const found = await next.reading
    if (signal.aborted) return
    isWaiting.value = false
    next = undefined
    if (!found) return void (await pause())
    stretch = found
    ticked = performance.now()
    void readMarks(clock)
  }

  async function pause(): Promise<void> {
    if (at.value !== null) await seek(at.value)
  }

  function leave(): void {
    if (at.value === null) return
    stopClock()
    forget()
    at.value = null
    isPlaying.value = false
    isWaiting.value = false
    failure.value = ''
    stretch = undefined
    open.value = []
    span.value = { from: 0, to: 0 }
    alarms.showPast(null)
    tags.showPast(null)
    gates.endPast()
    jumps.value++
  }

  return {
    ...{ at, isActive, isPlaying, speed, jumps, isWaiting, failure, span, spanMs, marks, open, lostSites },
    ...{ seek, play, pause, leave },
    setSpeed(wanted: Speed): void {
      speed.value = wanted
      if (isPlaying.value) void play()
    },
    setSpan(ms: number): void {
      spanMs.value = ms
      span.value = { from: 0, to: 0 }
      if (at.value !== null) void readMarks(at.value)
    },
    step: (by: 1 | -1) => (at.value === null ? Promise.resolve() : seek(at.value + by * stepMsOf(speed.value))),
    jump(side: 'next' | 'previous'): Promise<void> {
      const mark = at.value === null ? undefined : markBeside(marks.value, at.value, side)
      return mark ? seek(mark.at) : Promise.resolve()
    },
  }
})
