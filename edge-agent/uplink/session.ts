import { setTimeout as sleep } from 'node:timers/promises'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { messageOf } from '#contract/fault.ts'
import type { SiteHealth } from '#contract/health.ts'
import { encodePayload, type SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { deviceTopic, type NodeAddress, nodeTopic, parseSparkplugTopic } from '#contract/topics.ts'
import type { UnixMs } from '#contract/units.ts'
import type { BrokerSettings, UplinkSettings } from '../settings.ts'
import { type HostWordDeps, hearHost } from './host-word.ts'
import { CONNECTION_BYTES, onTheWire } from './meter.ts'
import { packData } from './pack.ts'
import { nodeBirth, sessionMetric } from './payloads.ts'
import { TopicAliases } from './topic-aliases.ts'

export type SessionDeps = Omit<HostWordDeps, 'onRebirth' | 'onInflates'> & {
  readonly broker: BrokerSettings
  readonly address: NodeAddress
  /** Devices that are born with the node. Another is born when it first has something to say. */
  readonly devices: readonly string[]
  /** Whether the births invite receipts. */
  readonly receipts: boolean
  /** Durable before it resolves. */
  readonly nextBdSeq: () => Promise<number>
  readonly birthOf: (device: string, at: UnixMs) => SparkplugMetric[]
  /** What the agent says of itself in a birth. */
  readonly healthNow: () => SiteHealth
  readonly onOnline: () => void
  readonly deflate: UplinkSettings['deflate']
  /** Bytes that went over the link as one piece, headers included by the meter's model. */
  readonly onBytes: (bytes: number) => void
  readonly now: () => UnixMs
}

/** From the NBIRTH of one MQTT connection to its end. */
type Life = {
  readonly client: MqttClient
  readonly bdSeq: number
  readonly born: Set<string>
  /** Of the next message, 0 to 255. */
  seq: number
  /** Publications that the socket has not yet taken. */
  readonly unwritten: Set<(taken: boolean) => void>
  /** When something was last sent, by the clock that no one sets. */
  sentAt: number
  /** The host has said that it inflates. */
  deflates: boolean
  readonly topics: TopicAliases
  /** Of the bytes written, those that have been counted. */
  counted: number
}
type State =
  | { readonly at: 'offline' }
  | { readonly at: 'connecting'; readonly client: MqttClient }
  | { readonly at: 'online'; readonly life: Life }
  | { readonly at: 'ended' }

/** How often a connection is looked at that has fallen silent, in ms. */
const WATCH_EVERY_MS = 2000

/** How long a connection lasts to be called a steady one, in ms. */
const STEADY_MS = 10_000
/** Sessions in a row that ended at once. */
const SUSPICIOUS_CUTS = 3
const BACKOFF_FIRST_MS = 500
const BACKOFF_MAX_MS = 60_000
const LONGEST_FAREWELL_MS = 2000

/**
 * The agent as a Sparkplug edge node. Each MQTT connection is a client of its own, because its will must hold the bdSeq of the
 * NBIRTH that follows it [tck-id-payloads-ndeath-will-message-bdseq], so a new one on every connection.
 */
export class Session {
  readonly #deps: SessionDeps
  readonly #ending = new AbortController()
  #state: State = { at: 'offline' }
  #running: Promise<void> = Promise.resolve()
  #connections = 0
  #tlsSession: Buffer | undefined
  /** 5 has topic aliases; a broker that does not speak it is spoken to in 4, which is MQTT 3.1.1. */
  #protocol: 5 | 4 = 5
  #lastError = ''

  private constructor(deps: SessionDeps) {
    this.#deps = deps
  }

  static open(deps: SessionDeps): Session {
    const session = new Session(deps)
    session.#running = session.#run()
    return session
  }

  get online(): boolean {
    return this.#state.at === 'online'
  }

  get #clientId(): string {
    const { broker, address } = this.#deps
    return broker.client_id ?? `sluice-${address.group}-${address.node}`
  }

  /** Connections since the start. */
  get connections(): number {
    return this.#connections
  }

  /** Publications that wait because the link takes no more. */
  get unwritten(): number {
    return this.#state.at === 'online' ? this.#state.life.unwritten.size : 0
  }

  /** Sends DDATA. @returns the bytes of the payload when the socket took it, which promises nothing, else null. */
  async publish(device: string, metrics: SparkplugMetric[]): Promise<number | null> {
    if (this.#state.at !== 'online') return null
    const { life } = this.#state
    if (!life.born.has(device)) this.#bear(life, device)
    return await this.#send(life, deviceTopic('DDATA', { ...this.#deps.address, device }), metrics, 'data')
  }

  /** Sends NDATA, as {@link publish}. */
  async publishNode(metrics: SparkplugMetric[]): Promise<number | null> {
    if (this.#state.at !== 'online') return null
    return await this.#send(this.#state.life, nodeTopic('NDATA', this.#deps.address), metrics, 'data')
  }

  /** Says farewell (NDEATH) and disconnects. */
  async close(): Promise<void> {
    const state = this.#state
    this.#state = { at: 'ended' }
    this.#ending.abort()
    if (state.at === 'connecting') state.client.end(true)
    if (state.at === 'online') {
      const { client, bdSeq } = state.life
      // [tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath]: after a DISCONNECT the broker keeps the will to itself.
      const farewell = async (): Promise<void> => {
        await client.publishAsync(nodeTopic('NDEATH', this.#deps.address), this.#death(bdSeq), { qos: 1 })
        await client.endAsync()
      }
      const said = farewell().catch((error: unknown) => this.#deps.log.debug({ error: messageOf(error) }, 'no farewell'))
      await Promise.race([said, sleep(LONGEST_FAREWELL_MS, undefined, { ref: false })])
      client.end(true)
      giveUp(state.life)
    }
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    let failures = 0
    let cutShort = 0
    while (!signal.aborted) {
      const since = performance.now()
      const connections = this.#connections
      if ((await this.#connect()) === 'again at once') continue
      const wasShort = this.#connections > connections && performance.now() - since < STEADY_MS
      cutShort = wasShort ? cutShort + 1 : 0
      if (cutShort === SUSPICIOUS_CUTS)
        this.#deps.log.error(
          { client_id: this.#clientId },
          'the broker ends each session soon after it began: another agent may run as this site. Stop it, or give one of them its own site',
        )
      // A session that ends at once counts as a failure: two agents under one name would take each other's place for ever.
      failures = performance.now() - since > STEADY_MS ? 0 : failures + 1
      // Spread out: after a broker's restart a whole district comes back.
      const wait_ms = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures) * (0.5 + Math.random() / 2)
      await sleep(wait_ms, undefined, { signal }).catch(() => undefined)
    }
  }

  /** One MQTT connection, from its CONNECT to its end. */
  async #connect(): Promise<'again at once' | 'over'> {
    const { broker, address, log } = this.#deps
    const bdSeq = await this.#deps.nextBdSeq()
    if (this.#ending.signal.aborted) return 'over'
    const options: IClientOptions & { session?: Buffer } = {
      // A resumed TLS session costs hundreds of bytes, a full handshake with certificates thousands.
      ...(this.#tlsSession ? { session: this.#tlsSession } : {}),
      clientId: this.#clientId,
      // [tck-id-principles-persistence-clean-session-311, -50]
      clean: true,
      protocolVersion: this.#protocol,
      autoUseTopicAlias: true,
      keepalive: broker.keepalive_s,
      reconnectPeriod: 0,
      // What is meant for a broker that is away stays in the outbox.
      queueQoSZero: false,
      resubscribe: false,
      ...(broker.username === undefined ? {} : { username: broker.username }),
      ...(broker.password === undefined ? {} : { password: broker.password }),
      // [tck-id-message-flow-edge-node-birth-publish-will-message-qos, -retained]
      will: { topic: nodeTopic('NDEATH', address), payload: this.#death(bdSeq), qos: 1, retain: false },
    }
    const client = mqtt.connect(broker.url, options)
    client.stream.on('session', (session: Buffer) => {
      this.#tlsSession = session
    })
    this.#state = { at: 'connecting', client }
    let refused = false
    let reached = false
    client.stream.once('connect', () => {
      reached = true
    })
    const connections = this.#connections
    await new Promise<void>((resolve) => {
      client.on('error', (error) => {
        if (this.#protocol === 5 && isOtherProtocol(error)) refused = true
        else this.#complain(error)
      })
      client.once('close', resolve)
      client.once('connect', (connack) => {
        this.#begin(client, { bdSeq, topics: new TopicAliases(connack.properties?.topicAliasMaximum ?? 0) }).catch((error: unknown) => {
          log.warn({ error: messageOf(error) }, 'the session could not begin')
          client.end(true)
        })
      })
      client.on('message', (topic, payload, packet) => {
        if (topic === nodeTopic('NCMD', address)) {
          this.#hear(payload)
          return
        }
        const at = parseSparkplugTopic(topic)
        if (at?.kind === 'device' && at.type === 'DCMD') this.#deps.control?.receive(at.device, payload, { retained: packet.retain })
      })
    })
    this.#lost(client)
    // Some brokers say that they do not speak it, others hang up without a word.
    if (refused) this.#protocol = 4
    else if (reached && this.#connections === connections && this.#connections === 0) this.#protocol = this.#protocol === 5 ? 4 : 5
    return refused ? 'again at once' : 'over'
  }

  async #begin(client: MqttClient, { bdSeq, topics }: Pick<Life, 'bdSeq' | 'topics'>): Promise<void> {
    // [tck-id-message-flow-edge-node-ncmd-subscribe]: before the NBIRTH, with QoS 1.
    const filters = [
      nodeTopic('NCMD', this.#deps.address),
      ...(this.#deps.control ? [deviceTopic('DCMD', { ...this.#deps.address, device: '+' })] : []),
    ]
    const granted = await client.subscribeAsync(filters, { qos: 1 })
    if (granted.some((g) => g.qos > 2)) throw new Error(`the broker refused the subscription to ${filters.join(', ')}`)
    if (this.#state.at !== 'connecting' || this.#state.client !== client) return
    const life: Life = {
      client,
      bdSeq,
      topics,
      born: new Set(),
      seq: 0,
      unwritten: new Set(),
      sentAt: 0,
      deflates: false,
      counted: 0,
    }
    this.#state = { at: 'online', life }
    this.#connections += 1
    this.#lastError = ''
    this.#watch(life)
    this.#births(life)
    this.#deps.log.info({ bdSeq }, 'connected to the broker')
    this.#deps.onOnline()
  }

  /**
   * A connection can be dead without a word: an operator that drops the context sends no RST, and TCP goes on trying for a quarter of an hour.
   * What is sent holds off mqtt.js's own keep-alive, so who has sent and heard nothing asks, and without an answer begins anew.
   */
  #watch(life: Life): void {
    const { client } = life
    const { silence_ms } = this.#deps.broker
    let heard = performance.now()
    let asked: number | null = null
    this.#deps.onBytes(CONNECTION_BYTES)
    client.stream.on('data', (chunk: Uint8Array) => {
      heard = performance.now()
      asked = null
      this.#deps.onBytes(onTheWire(chunk.length, this.#isTls))
    })
    const timer = setInterval(
      () => {
        const now = performance.now()
        if (asked !== null && now - asked > silence_ms / 2) {
          this.#deps.log.warn({ silent_ms: Math.round(now - heard) }, 'the broker has fallen silent: the connection is given up')
          client.stream.destroy()
        } else if (asked === null && life.sentAt > heard && now - heard > silence_ms / 2) {
          asked = now
          client.sendPing()
        }
      },
      Math.min(WATCH_EVERY_MS, silence_ms / 4),
    )
    client.once('close', () => clearInterval(timer))
  }

  /** What has been written since it was last counted went out as one piece. */
  #count(life: Life): void {
    const written = bytesWritten(life.client.stream)
    this.#deps.onBytes(onTheWire(written - life.counted, this.#isTls))
    life.counted = written
  }

  get #isTls(): { tls: boolean } {
    return { tls: /^(mqtts|wss):/.test(this.#deps.broker.url) }
  }

  /** NBIRTH and the DBIRTHs, on connecting and when the host asks [tck-id-operational-behavior-data-commands-rebirth-action-3]: same bdSeq. */
  #births(life: Life): void {
    const { address, receipts, deflate, now, devices, healthNow } = this.#deps
    life.seq = 0
    const again = [...life.born]
    life.born.clear()
    const control = this.#deps.control ? 'keyed' : 'none'
    void this.#send(
      life,
      nodeTopic('NBIRTH', address),
      nodeBirth(life.bdSeq, now(), { receipts, deflate, health: healthNow(), control, config: this.#deps.center ? 'taken' : 'none' }),
      'birth',
    )
    for (const device of new Set([...devices, ...again])) this.#bear(life, device)
  }

  #bear(life: Life, device: string): void {
    life.born.add(device)
    void this.#send(life, deviceTopic('DBIRTH', { ...this.#deps.address, device }), this.#deps.birthOf(device, this.#deps.now()), 'birth')
  }

  async #send(life: Life, topic: string, metrics: SparkplugMetric[], as: 'birth' | 'data'): Promise<number | null> {
    // What is sent in one turn of the event loop goes to the socket as one piece, so that it shares a packet.
    const { stream } = life.client
    stream.cork()
    setImmediate(() => {
      stream.uncork()
      this.#count(life)
    })
    const message = { timestamp: this.#deps.now(), seq: life.seq, metrics }
    const payload = as === 'birth' ? encodePayload(message) : packData(message, { deflate: life.deflates })
    life.seq = (life.seq + 1) % 256
    life.sentAt = performance.now()
    return await new Promise((resolve) => {
      const settle = (taken: boolean): void => {
        life.unwritten.delete(settle)
        resolve(taken ? payload.length : null)
      }
      life.unwritten.add(settle)
      // Births are too rare to give them a number.
      const topicAlias = as === 'data' ? life.topics.toSay(topic) : null
      const properties = topicAlias === null ? {} : { properties: { topicAlias } }
      // mqtt.js never calls back for what waited for the socket when the connection went: #lost settles that.
      life.client.publish(topic, Buffer.from(payload), { qos: 0, retain: false, ...properties }, (error) => settle(!error))
    })
  }

  #death(bdSeq: number): Buffer {
    const timestamp = this.#deps.now()
    // [tck-id-payloads-ndeath-seq]: without seq.
    return Buffer.from(encodePayload({ timestamp, metrics: [sessionMetric(bdSeq, timestamp)] }))
  }

  #hear(payload: Uint8Array): void {
    const life = (): Life | null => (this.#state.at === 'online' ? this.#state.life : null)
    hearHost(payload, {
      ...this.#deps,
      onRebirth: () => {
        const now = life()
        if (now) this.#births(now)
      },
      onInflates: () => {
        const now = life()
        if (now) now.deflates = this.#deps.deflate === 'agreed'
      },
    })
  }

  #lost(client: MqttClient): void {
    const state = this.#state
    client.end(true)
    if (state.at === 'ended') return
    this.#state = { at: 'offline' }
    if (state.at !== 'online') return
    this.#deps.log.warn('the broker connection is lost; readings wait in the outbox')
    giveUp(state.life)
  }

  /** Each cause once, however often it is tried. */
  #complain(error: Error): void {
    if (error.message !== this.#lastError) this.#deps.log.warn({ error: error.message }, 'the broker does not answer; trying again')
    this.#lastError = error.message
  }
}

/** Of a TCP or TLS socket; a websocket's are not told. */
const bytesWritten = (stream: object): number =>
  'bytesWritten' in stream && typeof stream.bytesWritten === 'number' ? stream.bytesWritten : 0

/** CONNACK of MQTT 3.1.1 (1) and of MQTT 5 (132): unsupported protocol version. */
const isOtherProtocol = (error: object): boolean => 'code' in error && (error.code === 1 || error.code === 132)

function giveUp(life: Life): void {
  for (const settle of life.unwritten) settle(false)
}
