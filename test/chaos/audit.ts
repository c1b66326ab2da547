/**
 * Compares three accounts of the same readings, each written by another process: what the simulator served (truth), what the agents
 * confirmed as kept (journal), what InfluxDB holds (history). Decodes registers by itself, not with the agent's code.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { metricOf } from '#contract/metrics.ts'
import type { DeviceProfile, ProfilePoint } from '#contract/profile.ts'
import { root } from '../support/program.ts'

type TruthLine = {
  site: string
  unit: number
  structure: string
  t: number
  fc: number
  address: number
  words: number[]
  corrupted?: string
}
type JournalReading = { quality: 'good' | 'stale' | 'bad'; value?: number; reason?: string }
type JournalLine = { structure: string; t: number; readings: Record<string, JournalReading> } | { missed: number }

/** One value: number for a good one, text for a BAD one's reason code. */
type Held = { value: number | null; q: number }
export type Account = Map<string, Held>
const keyOf = (gate: string, t: number, metric: string): string => `${gate} ${t} ${metric}`

export type Journal = { kept: Map<string, Map<number, Record<string, JournalReading>>>; missed: number[] }

export function linesOf(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  // A writer that was killed may have left half a line; everything before it is whole.
  lines.pop()
  return lines
}

export function readJournal(file: string): Journal {
  const journal: Journal = { kept: new Map(), missed: [] }
  for (const text of linesOf(file)) {
    const line = JSON.parse(text) as JournalLine
    if ('missed' in line) {
      journal.missed.push(line.missed)
      continue
    }
    const gate = journal.kept.get(line.structure) ?? new Map<number, Record<string, JournalReading>>()
    gate.set(line.t, line.readings)
    journal.kept.set(line.structure, gate)
  }
  return journal
}

/** Every value that InfluxDB holds. */
export async function readInflux(url: string): Promise<Account> {
  const { host, pathname } = new URL(url.replace(/^influx1/, 'http'))
  const query = new URLSearchParams({
    db: pathname.slice(1),
    epoch: 'ms',
    q: 'SELECT * FROM gate GROUP BY gate',
    chunked: 'true',
    chunk_size: '10000',
  })
  const reply = await fetch(`http://${host}/query?${query}`)
  type Series = { tags: { gate: string }; columns: string[]; values: (number | null)[][] }
  const account: Account = new Map()
  for (const line of (await reply.text()).split('\n').filter((l) => l !== '')) {
    const { results, error } = JSON.parse(line) as { results?: { series?: Series[]; error?: string }[]; error?: string }
    if (error ?? results?.[0]?.error) throw new Error(error ?? results?.[0]?.error)
    for (const { tags, columns, values } of results?.flatMap((r) => r.series ?? []) ?? []) {
      for (const row of values) {
        const cells = new Map(columns.map((c, i) => [c, row[i] ?? null]))
        const t = cells.get('time') ?? Number.NaN
        for (const name of new Set(columns.map((c) => c.replace(/_q$/, '')))) {
          // What ingest makes of the readings is none that was served.
          if (name === 'time' || name === 'rx' || name === 'flow_derived' || name.endsWith('_v')) continue
          const value = cells.get(name) ?? null
          const q = cells.get(`${name}_q`) ?? null
          if (value !== null || q !== null)
            account.set(keyOf(tags.gate, t, name), { value: q === null || q === 0 || q === 500 ? value : null, q: q ?? 0 })
        }
      }
    }
  }
  return account
}

type Served = { t: number; value: number }

/** What the simulator said of each metric of each gate, in the order of time. */
export function readTruth(file: string): Map<string, Served[]> {
  const profile = parse(readFileSync(join(root, 'edge-agent/profiles/sluice-gate-rtu.yaml'), 'utf8')) as DeviceProfile
  const served = new Map<string, Served[]>()
  for (const text of linesOf(file)) {
    const line = JSON.parse(text) as TruthLine
    if (line.corrupted !== undefined) continue
    for (const [metric, point] of pointsIn(profile, line)) {
      const key = `${line.structure} ${metric}`
      const list = served.get(key) ?? []
      list.push({ t: line.t, value: valueAt(point, line.words.slice(point.address - line.address)) })
      served.set(key, list)
    }
  }
  return served
}

function* pointsIn(profile: DeviceProfile, line: TruthLine): Generator<[string, ProfilePoint]> {
  const inside = (p: ProfilePoint): boolean =>
    p.address >= line.address && p.address + (p.type.endsWith('32') ? 2 : 1) <= line.address + line.words.length
  for (const p of profile.points) if (inside(p)) yield [p.metric, p]
  const leaf = profile.leaf
  if (!leaf) return
  for (let n = 1; n <= 99; n++) {
    for (const p of leaf.points) {
      const at = { ...p, address: leaf.first_address + (n - 1) * leaf.stride + p.address }
      if (inside(at)) yield [n === 1 ? p.metric : `${p.metric}_${n}`, at]
    }
  }
}

function valueAt(point: ProfilePoint, [a = 0, b = 0]: number[]): number {
  const view = new DataView(new ArrayBuffer(4))
  const [high, low] = point.order === 'CDAB' ? [b, a] : [a, b]
  view.setUint16(0, high)
  view.setUint16(2, low)
  const raw =
    point.type === 'float32'
      ? view.getFloat32(0)
      : point.type === 'uint32'
        ? view.getUint32(0)
        : point.type === 'int32'
          ? view.getInt32(0)
          : point.type === 'bit'
            ? (a >> (point.bit ?? 0)) & 1
            : point.type === 'int16'
              ? (a << 16) >> 16
              : a
  return raw * (point.scale ?? 1) + (point.offset ?? 0)
}

export type Audit = {
  kept: number
  inHistory: number
  missing: string[]
  /** In history, but never served, or the same served value twice. */
  extra: string[]
  /** In history with another value or quality than kept, or than served. */
  wrong: string[]
  /** In history and served, but its agent was killed before it could log that it was kept. */
  unlogged: number
  bad: number
}

const REASON_CODE: Record<string, number> = { timeout: 1, not_connected: 2 }
/** A read is answered and stamped within this even on a starved machine, in ms; a repeated old value is found by its claim, not by this. */
const READ_TAKES_MS = 5000

export function audit(journals: readonly Journal[], truth: Map<string, Served[]>, history: Account, options: { until: number }): Audit {
  const result: Audit = { kept: 0, inHistory: history.size, missing: [], extra: [], wrong: [], unlogged: 0, bad: 0 }
  const logged = new Set<string>()
  for (const { kept } of journals) {
    for (const [gate, cycles] of kept) {
      for (const [t, readings] of cycles) {
        for (const [metric, reading] of Object.entries(readings)) {
          const key = keyOf(gate, t, metric)
          logged.add(key)
          if (t <= options.until) result.kept++
          const held = history.get(key)
          if (!held) {
            if (t <= options.until) result.missing.push(key)
          } else if (reading.quality === 'bad') {
            result.bad++
            const code = REASON_CODE[reading.reason ?? '']
            if (held.value !== null || held.q === 0 || (code !== undefined && held.q !== code))
              result.wrong.push(`${key}: kept BAD ${reading.reason}, in history ${JSON.stringify(held)}`)
          } else if (held.value !== reading.value || held.q !== 0)
            result.wrong.push(`${key}: kept ${reading.value}, in history ${JSON.stringify(held)}`)
        }
      }
    }
  }
  const claimed = new Map<Served, string>()
  for (const [key, held] of history) {
    if (!logged.has(key)) result.unlogged++
    if (held.value === null) continue
    const [gate = '', time = '', metric = ''] = key.split(' ')
    const t = Number(time)
    const served = lastBefore(truth.get(`${gate} ${metric}`) ?? [], t)
    if (!served || t - served.t > READ_TAKES_MS) result.extra.push(`${key}: nothing was served in the ${READ_TAKES_MS} ms before it`)
    else if (Math.fround(served.value) !== Math.fround(held.value))
      result.wrong.push(`${key}: served ${served.value}, in history ${held.value}`)
    else if (claimed.has(served)) result.extra.push(`${key}: the value served at ${served.t} is there as ${claimed.get(served)} too`)
    else claimed.set(served, key)
  }
  return result
}

/** The last one served at or before `t` (both clocks are this machine's). */
function lastBefore(served: readonly Served[], t: number): Served | undefined {
  let [low, high] = [0, served.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((served[middle]?.t ?? 0) <= t) low = middle + 1
    else high = middle
  }
  return served[low - 1]
}

/** Half a unit in the last place of a 32-bit float, relative to the value. */
const FLOAT32_ROUNDING = 2 ** -24

/**
 * Reports by exception, judged by the truth: of each value that was served and read, history's newest value up to the moment of the read lies
 * within the deadband. The journal tells of each read, also of one that brought nothing new.
 * @returns those that do not, and how many were looked at.
 */
export function outsideDeadband(
  journals: readonly Journal[],
  truth: Map<string, Served[]>,
  history: Account,
  options: { until: number },
): { outside: string[]; looked: number } {
  const held = new Map<string, Served[]>()
  for (const [key, { value }] of history) {
    const [gate = '', t = '', metric = ''] = key.split(' ')
    const list = held.get(`${gate} ${metric}`) ?? []
    list.push({ t: Number(t), value: value ?? Number.NaN })
    held.set(`${gate} ${metric}`, list)
  }
  for (const list of held.values()) list.sort((a, b) => a.t - b.t)
  const outside: string[] = []
  let looked = 0
  for (const [gate, cycles] of journals.flatMap((j) => [...j.kept])) {
    const metrics = [...truth.keys()].filter((k) => k.startsWith(`${gate} `)).map((k) => k.slice(gate.length + 1))
    for (const metric of metrics) {
      const key = `${gate} ${metric}`
      const band = (metricOf(metric)?.deadband ?? 0) + 1e-6
      for (const t of cycles.keys()) {
        const served = lastBefore(truth.get(key) ?? [], t)
        const known = lastBefore(held.get(key) ?? [], t)
        // What was read last is still on its way. BAD in history: the read failed.
        if (t > options.until || !served || t - served.t > READ_TAKES_MS || Number.isNaN(known?.value)) continue
        looked++
        // Both are rounded to 32 bits on their way, and are compared by the agent as they are sent.
        if (!known || Math.abs(known.value - Math.fround(served.value)) >= band + Math.abs(served.value) * FLOAT32_ROUNDING)
          outside.push(`${key} ${t}: served ${served.value}, known ${known?.value}`)
      }
    }
  }
  return { outside, looked }
}

/** Poll cycles of an agent in which a gate has no reading, though it was neither dead nor told of a missed cycle. */
export function unexplainedGaps(
  journal: Journal,
  options: { from: number; until: number; intervalMs: number; deadFromTo: readonly (readonly [number, number])[] },
): string[] {
  const gaps: string[] = []
  const missedAt = new Set(journal.missed.map((m) => Math.floor(m / options.intervalMs)))
  for (const [gate, cycles] of journal.kept) {
    const seen = new Set([...cycles.keys()].map((t) => Math.floor(t / options.intervalMs)))
    const first = Math.ceil(options.from / options.intervalMs)
    for (let n = first; (n + 1) * options.intervalMs < options.until; n++) {
      if (seen.has(n)) continue
      const [start, end] = [n * options.intervalMs, (n + 1) * options.intervalMs]
      const dead = options.deadFromTo.some(([a, b]) => a < end && b > start)
      // A cycle that began late may have been stamped in the next interval, whose own cycle then counts as missed.
      const missed = missedAt.has(n) || (missedAt.has(n + 1) && seen.has(n + 1))
      if (!dead && !missed) gaps.push(`${gate} ${start}`)
    }
  }
  return gaps
}
