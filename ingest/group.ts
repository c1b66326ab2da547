import type { Logger } from 'pino'
import { Value } from 'typebox/value'
import { type BatchId, epochOf } from '#contract/batch.ts'
import type { CommandNews } from '#contract/command.ts'
import { type Structure, staleAfterMs } from '#contract/district.ts'
import { assertNever, messageOf } from '#contract/fault.ts'
import { healthOf, SiteState } from '#contract/health.ts'
import { LiveState } from '#contract/live.ts'
import { decodeLost } from '#contract/lost.ts'
import { birthTable, indexBirth, resolveMetrics } from '#contract/sparkplug/birth.ts'
import { DecodeFault, decodePayload, type RawPayload } from '#contract/sparkplug/payload.ts'
import {
  commandTopic,
  type DeviceAddress,
  LIVE_FILTER,
  liveTopic,
  NAMES,
  type NodeAddress,
  parseSparkplugTopic,
  SITE_FILTER,
  type SparkplugTopic,
  siteTopic,
} from '#contract/topics.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Sample } from '#history/port.ts'
import type { DeadLetterRow, Registry } from '#registry/port.ts'
import { accept, type Refusal } from './accept.ts'
import type { AlarmKeeper } from './alarms/keeper.ts'
import { type Analysed, Analysis } from './analysis.ts'
import type { Birth, Births } from './births.ts'
import { fileCommissioning } from './commissioning.ts'
import type { Directory } from './directory.ts'
import { type BrokerAccess, Host } from './host.ts'
import { LiveStates } from './live.ts'
import { bdSeqOf, decodeMessage, isUnsaid, type Keep, keepOf, type NamedMetric, namedPayload } from './message.ts'
import { Sequence } from './sequence.ts'
import type { IngestSettings } from './settings.ts'
import { SiteStates } from './sites.ts'
import { deadLetters, type Work, type Writer } from './writer.ts'

type GroupDeps = {
  readonly broker: BrokerAccess
  readonly settings: IngestSettings
  readonly births: Births
  readonly directory: Directory
  readonly writer: Writer
  readonly alarms: AlarmKeeper
  readonly registry: Pick<Registry, 'commissioning'>
  /** Whether what is heard is this worker's to take. */
  readonly isOurs: () => boolean
  readonly log: Logger
  readonly now: () => UnixMs
}

export type GroupStats = { messages: number; undecodable: number; liveOnly: number }

/** One Sparkplug group's messages on their way: decode, live at once, then to the writer. */
export class Group {
  readonly #deps: GroupDeps
  readonly #host: Host
  readonly #live: LiveStates
  readonly #sites: SiteStates
  readonly #sequence = new Sequence()
  readonly #analysis: Analysis
  /** bdSeq of each node's last NBIRTH: an older session's will, told late, must not end a newer session. */
  readonly #sessions = new Map<string, number>()
  readonly #timers = new Set<NodeJS.Timeout>()
  /** When a device was first refused as a whole. */
  readonly #refusedSince = new Map<string, number>()
  readonly stats: GroupStats = { messages: 0, undecodable: 0, liveOnly: 0 }

  private constructor(deps: GroupDeps, group: string) {
    this.#deps = deps
    this.#analysis = new Analysis(deps.directory)
    this.#live = new LiveStates((state) => {
      this.#host.publish(liveTopic(state.area, state.gate), JSON.stringify(state), { retain: true })
    })
    this.#sites = new SiteStates((state) => {
      deps.alarms.health({ id: state.site }, state.health)
      this.#host.publish(siteTopic(state.area, state.site), JSON.stringify(state), { retain: true })
    })
    this.#host = Host.open(
      {
        broker: deps.broker,
        group,
        hostId: deps.settings.host_id,
        rebirthEveryMs: deps.settings.rebirth_every_ms,
        extraFilters: group === '+' ? [LIVE_FILTER, SITE_FILTER] : [`sluice/v1/live/${group}/#`, `sluice/v1/site/${group}/#`],
      },
      {
        disconnected: () => deps.alarms.broker(group, false),
        connected: () => {
          deps.alarms.broker(group, true)
          // What a foreign node said while we were not listening may have been a new birth with the same aliases.
          deps.births.forgetForeign()
          this.#live.publishAll()
          this.#sites.publishAll()
        },
        message: (topic, payload, { retained }) => {
          try {
            this.#take(topic, payload, retained)
          } catch (error) {
            deps.log.error({ topic, error }, 'a message was not handled')
          }
        },
      },
      deps.log,
    )
  }

  static open(deps: GroupDeps, group: string): Group {
    return new Group(deps, group)
  }

  get host(): Host {
    return this.#host
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#host.close()
  }

  #take(topic: string, payload: Uint8Array, retained: boolean): void {
    if (topic.startsWith('sluice/')) {
      // Only what the broker had kept from before; our own publications come back unretained.
      if (retained) this.#restore(topic, payload)
      return
    }
    // What comes after a long standstill may be another worker's; our agents send it again.
    if (!this.#deps.isOurs()) return
    const at = parseSparkplugTopic(topic)
    if (!at || at.type === 'NCMD' || at.type === 'DCMD') return
    this.stats.messages++
    const received = this.#deps.now()
    const decoded = this.#decode(at, payload)
    if (!decoded) return
    const site = this.#deps.directory.site(at.node)
    if (site?.area === at.group && at.type !== 'NDEATH') {
      this.#deps.alarms.heard(site.id)
      this.#sites.heard(site, { received, sent: decoded.timestamp })
    }
    switch (at.type) {
      case 'NBIRTH':
        this.#nodeBirth(at, decoded)
        break
      case 'NDEATH':
        this.#nodeDeath(at, decoded)
        break
      case 'DBIRTH':
        this.#deviceBirth(at, decoded, { payload, received })
        break
      case 'DDEATH':
        this.#setOnline(at, false)
        break
      case 'NDATA':
      case 'DDATA':
        this.#data(at, decoded, { payload, received })
        break
      default:
        assertNever(at.type)
    }
  }

  #restore(topic: string, payload: Uint8Array): void {
    const state: unknown = JSON.parse(Buffer.from(payload).toString())
    if (Value.Check(SiteState, state) && topic === siteTopic(state.area, state.site)) this.#restoreSite(state)
    if (!Value.Check(LiveState, state) || topic !== liveTopic(state.area, state.gate)) return
    const limit = this.#deps.now()
    if (!Object.values(state.metrics).every((v) => v.t <= limit)) return
    this.#live.restore(state)
    this.#deps.alarms.seen(state.gate)
  }

  #restoreSite(state: SiteState): void {
    this.#sites.restore(state)
    this.#deps.alarms.site({ id: state.site }, state.online)
  }

  #decode(at: SparkplugTopic, payload: Uint8Array): RawPayload | undefined {
    try {
      return decodeMessage(payload)
    } catch (error) {
      if (!(error instanceof DecodeFault)) throw error
      this.stats.undecodable++
      const device = at.kind === 'device' ? at.device : null
      const message = { node: nodeOf(at), device, batch: null, payload: () => payload }
      const dead = deadLetters(message, [{ metric: null, reason: `${at.type}: ${messageOf(error)}` }])
      this.#deps.writer.add({ ...message, samples: [], dead })
      return undefined
    }
  }

  #nodeBirth(at: SparkplugTopic, payload: RawPayload): void {
    const node = nodeOf(at)
    const table = birthTable(payload.timestamp ?? this.#deps.now(), payload.metrics, NAMES.batch)
    if (!table.receipts) this.#deps.births.forgetDevices(node)
    this.#deps.births.put(node, table, { save: this.#gatesOf(at).length > 0 })
    this.#sequence.birth(nodeKey(node), payload.seq ?? 0)
    const bdSeq = bdSeqOf(payload)
    if (bdSeq !== undefined) this.#sessions.set(nodeKey(node), bdSeq)
    this.#setOnline(at, true)
    // Only our own agents say this name, and only where their settings allow it: no foreign host is to meet what it can't read.
    if (payload.metrics.some((m) => m.name === NAMES.deflate)) this.#host.askDeflate(node)
    const birth = this.#deps.births.get(node)
    if (birth) this.#health(at, resolveMetrics(payload.metrics, birth).metrics)
  }

  #nodeDeath(at: SparkplugTopic, payload: RawPayload): void {
    const session = this.#sessions.get(nodeKey(at))
    const bdSeq = bdSeqOf(payload)
    // [tck-id-operational-behavior-host-application-death-…]: only the death of the session that was born last counts.
    if (session !== undefined && bdSeq !== undefined && session !== bdSeq) return
    this.#setOnline(at, false)
  }

  #deviceBirth(at: SparkplugTopic, payload: RawPayload, message: { payload: Uint8Array; received: UnixMs }): void {
    if (at.kind !== 'device') return
    const table = birthTable(payload.timestamp ?? message.received, payload.metrics, NAMES.batch)
    this.#deps.births.put(at, table, { save: this.#deps.directory.gate(at.device) !== undefined })
    const birth = this.#deps.births.get(at)
    if (!birth) return
    this.#checkSequence(at, payload, birth)
    const { metrics, unread } = resolveMetrics(payload.metrics, birth)
    this.#handOnControl(at, metrics)
    const said = metrics.filter((m) => !isUnsaid(m, birth))
    this.#store(
      at,
      { metrics: said, unread, again: () => said },
      {
        ...message,
        payloadTime: unixMs(payload.timestamp ?? message.received),
        // The values in our births come again in their batch; a foreign node's births are history.
        keep: birth.receipts ? { as: 'live only' } : { as: 'foreign' },
      },
    )
  }

  #data(at: SparkplugTopic, payload: RawPayload, message: { payload: Uint8Array; received: UnixMs }): void {
    const birth = this.#deps.births.get(at)
    if (!birth) {
      this.#host.askRebirth(nodeOf(at), 'data without a birth')
      return
    }
    this.#checkSequence(at, payload, birth)
    const { metrics, unknown, unread } = resolveMetrics(payload.metrics, birth)
    if (unknown.length > 0) {
      this.#host.askRebirth(nodeOf(at), `metric ${unknown[0]} is in no birth`)
      // A batch is taken whole or not at all: its receipt would cover what was not understood.
      if (birth.receipts) return
    }
    if (at.kind === 'node') {
      this.#health(at, metrics)
      this.#commissioning(at, metrics)
    } else this.#handOnControl(at, metrics)
    const keep: Keep = birth.receipts ? keepOf(metrics) : { as: 'foreign' }
    if (keep.as === 'batch' && !this.#deps.births.covers(at, epochOf(keep.id))) {
      this.#host.askRebirth(nodeOf(at), 'the outbox is a new one')
      return
    }
    this.#store(
      at,
      // Held until its receipt, a batch is bytes and samples: thousands of metrics as objects would be the collector's work.
      { metrics, unread, again: () => resolveMetrics(decodeMessage(message.payload).metrics, birth).metrics },
      {
        ...message,
        payloadTime: unixMs(payload.timestamp ?? message.received),
        keep,
      },
    )
  }

  #store(
    at: SparkplugTopic,
    { again, ...content }: { metrics: readonly NamedMetric[]; unread: readonly string[]; again: () => readonly NamedMetric[] },
    message: { payload: Uint8Array; received: UnixMs; payloadTime: UnixMs; keep: Keep },
  ): void {
    const { directory, writer } = this.#deps
    const { keep, payload } = message
    const address = { ...nodeOf(at), device: at.kind === 'device' ? at.device : '' }
    if (at.kind === 'node' && keep.as === 'batch' && directory.site(at.node)?.area === at.group) {
      writer.add(nodeWork({ node: nodeOf(at), batch: keep.id, payload, metrics: content.metrics, received: message.received }))
      return
    }
    const gate = directory.gate(address.device)
    if (!gate && at.kind === 'node' && content.metrics.every((m) => isOfProtocol(m.name))) return
    const { samples, refusals } = accept(gate, { address, ...content, payloadTime: message.payloadTime, received: message.received })

    const analysed = this.#analyse(gate, samples, keep)
    if (gate && samples.length > 0) {
      this.#live.take(gate, [...samples, ...analysed.follows])
      this.#deps.alarms.take(gate, samples)
    }
    if (keep.as === 'live only') {
      this.stats.liveOnly++
      return
    }
    const batch = keep.as === 'batch' ? keep.id : null
    const device = at.kind === 'device' ? at.device : null
    // Perhaps it was registered, or moved to this site, a moment ago: only a list that was read since says no. Our agent asks again.
    if (samples.length === 0 && refusals.length > 0 && refusals.every((r) => r.metric === null) && !this.#mayRefuse(address)) {
      directory.refreshSoon()
      if (batch !== null) return
    }
    const work = { node: nodeOf(at), device, batch, payload: () => namedPayload(again(), message.payloadTime) }
    const dead = deadLetters(work, refusals)
    if (samples.length > 0 || dead.length > 0 || batch !== null)
      writer.add({ ...work, samples: [...analysed.samples, ...analysed.follows], dead })
  }

  /** What the message of a dead letter comes to now. It is not shown live and raises no alarm: what it tells is past. */
  reread({ group, node, device, payload, firstAt }: DeadLetterRow): { samples: readonly Sample[]; refusals: readonly Refusal[] } {
    const refused = (reason: string) => ({ samples: [], refusals: [{ metric: null, reason }] })
    if (device === null) return refused('a message of the site itself, which holds no samples')
    try {
      const decoded = decodePayload(Buffer.from(payload, 'base64'))
      if (decoded.packed || decoded.metrics.some((m) => m.name === undefined)) return refused('its metrics stand there without their names')
      const { metrics, unread } = resolveMetrics(decoded.metrics, indexBirth(birthTable(firstAt, decoded.metrics, NAMES.batch)))
      const gate = this.#deps.directory.gate(device)
      const payloadTime = unixMs(decoded.timestamp ?? firstAt)
      const accepted = accept(gate, { address: { group, node, device }, metrics, unread, payloadTime, received: firstAt })
      const analysed = this.#analyse(gate, accepted.samples, { as: 'foreign' })
      return { samples: [...analysed.samples, ...analysed.follows], refusals: accepted.refusals }
    } catch (error) {
      if (!(error instanceof DecodeFault)) throw error
      return refused(messageOf(error))
    }
  }

  /** What is shown ahead of its batch is looked at alone: nothing that is never stored may bear on what is. */
  #analyse(gate: Structure | undefined, samples: readonly Sample[], keep: Keep): Analysed {
    if (!gate || samples.length === 0) return { samples, follows: [] }
    const { directory } = this.#deps
    if (keep.as === 'live only') return { samples, follows: Analysis.glance(directory, gate, samples) }
    return this.#analysis.take(gate, samples, staleAfterMs(directory.site(gate.site)?.report_interval_ms ?? 0))
  }

  /** Whether the list of gates has been read since this device was first refused. */
  #mayRefuse(address: DeviceAddress): boolean {
    const key = `${nodeKey(address)}/${address.device}`
    const since = this.#refusedSince.get(key)
    if (since !== undefined) return this.#deps.directory.readAt > since
    if (this.#refusedSince.size >= MOST_REFUSED) this.#refusedSince.clear()
    this.#refusedSince.set(key, this.#deps.now())
    return false
  }

  /** What an agent says of its control goes to the API nodes at once, as it is: they open the seal. */
  #handOnControl(at: DeviceAddress, metrics: readonly NamedMetric[]): void {
    for (const { name, value } of metrics) {
      const about = name === NAMES.commandState ? 'state' : name === NAMES.control ? 'control' : null
      if (about === null || !(value instanceof Uint8Array)) continue
      const news: CommandNews = { v: 1, site: at.node, gate: at.device, about, sealed: Buffer.from(value).toString('base64') }
      // How the gate is held stands until it changes: an API that starts must not wait for that. What became of a command is news once.
      this.#host.publish(commandTopic(at.group, at.device), JSON.stringify(news), { retain: about === 'control' })
    }
  }

  #checkSequence(at: SparkplugTopic, payload: RawPayload, birth: Birth): void {
    if (birth.receipts || payload.seq === undefined) return
    const node = nodeOf(at)
    const key = nodeKey(node)
    if (!this.#sequence.next(key, payload.seq)) return
    // [tck-id-operational-behavior-host-reordering-…]: wait for what may only be late, then ask for a rebirth.
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (!this.#sequence.complete(key)) this.#host.askRebirth(node, 'a message is missing')
    }, this.#deps.settings.reorder_ms)
    this.#timers.add(timer)
  }

  #setOnline(at: SparkplugTopic, online: boolean): void {
    this.#live.setOnline(this.#gatesOf(at), online)
    const site = this.#deps.directory.site(at.node)
    if (at.kind !== 'node' || site?.area !== at.group) return
    this.#sites.setOnline(site, online, this.#deps.now())
    this.#deps.alarms.site(site, online)
  }

  #health(at: SparkplugTopic, metrics: readonly NamedMetric[]): void {
    const site = this.#deps.directory.site(at.node)
    if (site?.area === at.group) this.#sites.health(site, healthOf(metrics), this.#deps.now())
  }

  #commissioning(at: SparkplugTopic, metrics: readonly NamedMetric[]): void {
    const { directory, registry, now, log } = this.#deps
    if (directory.site(at.node)?.area !== at.group) return
    void fileCommissioning(nodeOf(at), metrics, {
      registry,
      now,
      log,
      receipt: (node, id) => this.#host.sendCommissioned(node, id, directory.siteKey(node.node)),
    })
  }

  /** The gates that a node's or a device's message is about. */
  #gatesOf(at: SparkplugTopic): Structure[] {
    return this.#deps.directory.gatesOf(at.node).filter((g) => g.area === at.group && (at.kind === 'node' || g.id === at.device))
  }
}

/** Devices remembered as refused; beyond it they are asked about again. */
const MOST_REFUSED = 10_000

/** A batch of the node itself: readings that it could not deliver. */
function nodeWork(told: {
  node: NodeAddress
  batch: BatchId
  payload: Uint8Array
  metrics: readonly NamedMetric[]
  received: UnixMs
}): Work {
  const { node, batch, payload, metrics, received } = told
  const work = { node, device: null, batch, payload: () => payload, samples: [], dead: [] }
  const text = metrics.find((m) => m.name === NAMES.lost)?.value
  const records = typeof text === 'string' ? decodeLost(text) : undefined
  if (records) return { ...work, lost: { node, batch, records, at: received } }
  return {
    ...work,
    dead: deadLetters(work, [{ metric: null, reason: 'a batch of the site itself that this version does not understand' }]),
  }
}

const isOfProtocol = (name: string): boolean => name.includes('/') || name === NAMES.bdSeq
const nodeOf = (a: NodeAddress): NodeAddress => ({ group: a.group, node: a.node })
const nodeKey = (a: NodeAddress): string => `${a.group}/${a.node}`
