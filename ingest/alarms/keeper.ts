import type { Logger } from 'pino'
import { ALARM_KINDS, type AlarmKind, type AlarmRule, ruleId, rulesOf } from '#contract/alarm.ts'
import { type Site, type Structure, staleAfterMs } from '#contract/district.ts'
import { messageOf } from '#contract/fault.ts'
import type { SiteHealth } from '#contract/health.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { Sample } from '#history/port.ts'
import type { AlarmRegistry, ConditionRow } from '#registry/alarms.ts'
import type { Directory } from '../directory.ts'
import { advance, isActive, isActiveAt, type Stepped, step, untouched, violates } from './evaluate.ts'
import type { Surroundings } from './instructions.ts'
import { lookAt, metricsOf } from './look.ts'
import { SaveQueue } from './save-queue.ts'
import { inForce, newWatch, restored, rowOf, took, type Watch } from './watch.ts'
import { type Judgement, WaterWatch } from './water-watch.ts'

const TICK_MS = 1000
/** A delay that no sample ends is ended by the clock, later by what a sample may still be on its way. */
const ON_ITS_WAY_MS = 5000
/** What comes this much after it was measured is told in the journal, and raises nothing. */
const LATE_MS = 30_000
/** A gate must be silent for so many of its STALE times. */
const SILENT_TIMES = 2
const LEAST_SILENCE_MS = 60_000

type Deps = {
  readonly registry: AlarmRegistry
  readonly directory: Pick<Directory, 'gates' | 'gatesOf' | 'sites'>
  /** Commands, orders and canals, as the registry has them. */
  readonly surroundings: () => Promise<Surroundings>
  readonly log: Logger
  readonly now: () => number
  /** Whether alarms of this area, or with null those of the center, are this worker's to tell. */
  readonly holds: (area: string | null) => boolean
  /** False after this worker has stood still for so long that another may have its areas: then silence here says nothing of a site. */
  readonly isSure: () => boolean
}
type GateMemory = { goodAt: number; newest: Map<string, number>; levelUp?: number; levelDown?: number }

/** Every alarm of the district: looks at samples as they come, at silence as time passes, and keeps what changes. */
export class AlarmKeeper {
  readonly #deps: Deps
  readonly #queue: SaveQueue
  readonly #watches = new Map<string, Watch>()
  /** By gate and metric. */
  #followers = new Map<string, Map<string, Watch[]>>()
  readonly #gates = new Map<string, GateMemory>()
  readonly #sitesHeard = new Map<string, number>()
  readonly #offline = new Set<string>()
  readonly #water = new WaterWatch()
  #lostBrokers = new Set<string>()
  #rows: Map<string, ConditionRow> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    this.#queue = new SaveQueue(deps)
  }

  /** Reads where each alarm stood, then watches; to be called again when an area has come. @throws Fault REGISTRY_UNREACHABLE */
  async load(): Promise<void> {
    const rows = await this.#deps.registry.conditions()
    this.#rows = new Map(rows.map((r) => [r.id, r]))
    await this.refresh()
    this.#timer ??= setInterval(() => this.tick(), TICK_MS)
  }

  /** The rules again: gates may have come, engineers may have set limits. @throws Fault REGISTRY_UNREACHABLE */
  async refresh(): Promise<void> {
    const [settings, known] = await Promise.all([this.#deps.registry.settings(), this.#deps.surroundings()])
    const rules = rulesOf({ structures: [...this.#deps.directory.gates()], sites: [...this.#deps.directory.sites()] }, settings)
    const followers = new Map<string, Map<string, Watch[]>>()
    for (const rule of rules.filter(({ area }) => this.#deps.holds(area))) {
      const watch = this.#watchOf(rule)
      if (rule.gate === null) continue
      const ofGate = followers.get(rule.gate) ?? new Map<string, Watch[]>()
      followers.set(rule.gate, ofGate)
      for (const metric of metricsOf(rule)) ofGate.set(metric, [...(ofGate.get(metric) ?? []), watch])
    }
    this.#followers = followers
    this.#judge(this.#water.refresh(known, [...this.#deps.directory.gates()], this.#deps.now()))
  }

  /** Forgets what is no longer this worker's to tell: silence here says nothing of it. */
  release(group: string | null): void {
    const { holds, directory } = this.#deps
    if (group !== null) this.#lostBrokers.delete(group)
    for (const [id, { rule }] of this.#watches) if (!holds(rule.area)) this.#watches.delete(id)
    for (const { id, area } of directory.gates()) {
      if (holds(area)) continue
      this.#gates.delete(id)
      this.#followers.delete(id)
      this.#water.forget(id)
    }
    for (const { id, area } of directory.sites()) {
      if (holds(area)) continue
      this.#sitesHeard.delete(id)
      this.#offline.delete(id)
    }
  }

  refreshSoon(): void {
    this.refresh().catch((error: unknown) =>
      this.#deps.log.warn({ error: messageOf(error) }, 'alarm rules were not read; the last ones hold'),
    )
  }

  settled(): Promise<void> | undefined {
    return this.#queue.settled()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#queue.close()
  }

  /** Samples of one message of one gate. */
  take(gate: Structure, samples: readonly Sample[]): void {
    const memory = this.#memoryOf(gate.id)
    const followers = this.#followers.get(gate.id)
    const late = new Set<string>()
    for (const sample of [...samples].sort((a, b) => a.t - b.t)) {
      if (sample.reading.quality === 'good') memory.goodAt = Math.max(memory.goodAt, sample.received)
      const newest = memory.newest.get(sample.metric) ?? Number.NEGATIVE_INFINITY
      const isLate = sample.t < newest
      if (!isLate) {
        memory.newest.set(sample.metric, sample.t)
        this.#judge(this.#water.take(gate, sample))
      }
      for (const watch of followers?.get(sample.metric) ?? NOBODY) {
        const seen = ALARM_KINDS[watch.rule.kind].metric === 'head' ? headOf(memory, sample) : sample
        if (!seen) continue
        if (!isLate) this.#look(watch, seen)
        else if (sample.received - sample.t > LATE_MS && !late.has(watch.rule.id) && this.#tellLate(watch, seen)) late.add(watch.rule.id)
      }
    }
  }

  /** A site was heard, or its state from before a restart was read. */
  heard(site: string): void {
    if (this.#offline.has(site)) this.site({ id: site }, true)
    this.#sitesHeard.set(site, this.#deps.now())
  }

  /** A gate that had values before a restart: from now on its silence counts. */
  seen(gate: string): void {
    const memory = this.#memoryOf(gate)
    if (memory.goodAt === Number.NEGATIVE_INFINITY) memory.goodAt = this.#deps.now()
  }

  /** Sparkplug birth or death of a site. */
  site(site: Pick<Site, 'id'>, online: boolean): void {
    const now = this.#deps.now()
    if (online) {
      this.#offline.delete(site.id)
      this.heard(site.id)
      this.#giveTime(now, site.id)
    } else this.#offline.add(site.id)
    this.#tell('site_lost', site.id, { t: now, violated: !online, value: null })
    this.#suppressSilence(site.id)
  }

  health(site: Pick<Site, 'id'>, health: SiteHealth): void {
    const t = this.#deps.now()
    const { dropped_to: dropped, month_end_mb: month, plan_mb: plan } = health
    if (dropped !== null)
      this.#tell('outbox_dropping', site.id, { t, violated: t - dropped < DROPPED_LATELY_MS, value: health.dropped_readings })
    if (month !== null && plan !== null && plan > 0) this.#tell('data_plan', site.id, { t, violated: month > plan, value: month })
  }

  /** The connection of one group's host. Without the broker no silence means anything. */
  broker(group: string, connected: boolean): void {
    const now = this.#deps.now()
    if (connected) this.#lostBrokers.delete(group)
    else this.#lostBrokers.add(group)
    const lost = this.#lostBrokers.size > 0
    this.#tell('broker_lost', 'center', { t: now, violated: lost, value: null })
    if (lost) {
      for (const watch of this.#watches.values()) if (watch.rule.kind === 'stale') forget(watch)
      return
    }
    // Everybody gets time to say something.
    for (const id of this.#sitesHeard.keys()) this.#sitesHeard.set(id, now)
    this.#giveTime(now)
  }

  /** What no message tells: delays that run out, and silence. */
  tick(): void {
    if (!this.#deps.isSure()) return
    const now = this.#deps.now()
    const sites = new Map([...this.#deps.directory.sites()].map((s) => [s.id, s]))
    if (this.#lostBrokers.size === 0) {
      for (const [id, at] of this.#sitesHeard) {
        const site = sites.get(id)
        if (!site || this.#offline.has(id)) continue
        if (now - at > silenceOf(site)) this.site(site, false)
      }
      for (const gate of this.#deps.directory.gates()) {
        const memory = this.#gates.get(gate.id)
        const site = sites.get(gate.site)
        if (!memory || memory.goodAt === Number.NEGATIVE_INFINITY || !site || this.#offline.has(site.id)) continue
        this.#tell('stale', gate.id, { t: now, violated: now - memory.goodAt > silenceOf(site), value: null })
      }
    }
    this.#judge(this.#water.tick(now))
    for (const watch of this.#watches.values()) {
      const { at } = watch.condition.phase
      if (at !== 'rising' && at !== 'falling') continue
      const told = ALARM_KINDS[watch.rule.kind].form === 'told'
      this.#keep(watch, advance(watch.rule, watch.condition, told ? now : now - ON_ITS_WAY_MS))
    }
  }

  #judge(judgements: readonly Judgement[]): void {
    for (const { kind, gate, t, value } of judgements) {
      const watch = this.#watches.get(ruleId(kind, gate))
      if (!watch) continue
      const violated = violates(watch.rule, value, isActiveAt(watch.rule, watch.condition, t))
      // Nothing was wrong and nothing is: most of what is judged.
      if (!violated && watch.condition.phase.at === 'normal') continue
      this.#keep(watch, step(watch.rule, watch.condition, inForce(watch.rule, { t, violated, value })))
    }
  }

  #look(watch: Watch, sample: Pick<Sample, 't' | 'received' | 'reading'>): void {
    const { look, reference } = lookAt(watch.rule, sample, watch)
    if (reference) watch.reference = reference
    if (look) this.#keep(watch, step(watch.rule, watch.condition, inForce(watch.rule, look)))
  }

  /** A late crossing goes to the journal. @returns whether there was one. */
  #tellLate(watch: Watch, sample: Pick<Sample, 't' | 'received' | 'reading'>): boolean {
    const { form } = ALARM_KINDS[watch.rule.kind]
    if (form !== 'above' && form !== 'below') return false
    if (isActive(watch.condition) && watch.raisedAt !== null && sample.t >= watch.raisedAt) return false
    const { look } = lookAt(watch.rule, sample, { condition: untouched(), reference: undefined })
    if (!look?.violated || !inForce(watch.rule, look).violated) return false
    const { id, area } = watch.rule
    const entry = { alarm: id, area, occurrence: 0, event: 'historical', at: look.t, who: '', note: '', value: look.value } as const
    this.#queue.put(rowOf(watch), [entry])
    return true
  }

  #tell(kind: AlarmKind, target: string, look: { t: number; violated: boolean; value: number | null }): void {
    const watch = this.#watches.get(ruleId(kind, target))
    if (watch) this.#keep(watch, step(watch.rule, watch.condition, inForce(watch.rule, look)))
  }

  #keep(watch: Watch, stepped: Stepped): void {
    const saved = took(watch, stepped)
    if (saved) this.#queue.put(saved.row, saved.entries)
  }

  /** Silence counts anew from `now`. */
  #giveTime(now: number, site?: string): void {
    const { directory } = this.#deps
    for (const gate of site === undefined ? directory.gates() : directory.gatesOf(site)) {
      const memory = this.#gates.get(gate.id)
      if (memory && memory.goodAt > 0) memory.goodAt = now
    }
  }

  /** The silence of a lost site's gates is the site's alarm, not theirs. */
  #suppressSilence(site: string): void {
    for (const gate of this.#deps.directory.gatesOf(site)) {
      const watch = this.#watches.get(ruleId('stale', gate.id))
      if (!watch) continue
      const suppressed = this.#offline.has(gate.site)
      if (suppressed) forget(watch)
      if (watch.suppressed === suppressed || (suppressed && watch.condition.phase.at === 'normal')) continue
      watch.suppressed = suppressed
      this.#queue.put(rowOf(watch), [])
    }
  }

  #watchOf(rule: AlarmRule): Watch {
    const known = this.#watches.get(rule.id)
    if (known) {
      known.rule = rule
      return known
    }
    const row = this.#rows?.get(rule.id)
    const watch = row ? restored(newWatch(rule), row) : newWatch(rule)
    if (rule.kind === 'site_lost' && rule.site !== null && isActive(watch.condition)) this.#offline.add(rule.site)
    this.#watches.set(rule.id, watch)
    return watch
  }

  #memoryOf(gate: string): GateMemory {
    const memory = this.#gates.get(gate) ?? { goodAt: Number.NEGATIVE_INFINITY, newest: new Map<string, number>() }
    this.#gates.set(gate, memory)
    return memory
  }
}

const NOBODY: readonly Watch[] = []

/** A silence that has just been explained is no longer on its way to an alarm. */
function forget(watch: Watch): void {
  if (watch.condition.phase.at === 'rising') watch.condition = { ...watch.condition, phase: { at: 'normal' } }
}

/** Readings that were dropped within this time are an alarm; afterwards they are history. */
const DROPPED_LATELY_MS = 3_600_000

const silenceOf = (site: Pick<Site, 'report_interval_ms'>): number =>
  Math.max(LEAST_SILENCE_MS, SILENT_TIMES * staleAfterMs(site.report_interval_ms))

/** The difference of the two levels, when one of them has just come and both are known. */
function headOf(memory: GateMemory, sample: Sample): Pick<Sample, 't' | 'received' | 'reading'> | undefined {
  if (sample.reading.quality !== 'good') return undefined
  if (sample.metric === 'level_up') memory.levelUp = sample.reading.value
  else memory.levelDown = sample.reading.value
  const { levelUp, levelDown } = memory
  if (levelUp === undefined || levelDown === undefined) return undefined
  return { t: unixMs(sample.t), received: sample.received, reading: good(levelUp - levelDown) }
}
