import { createHmac } from 'node:crypto'
import mqtt, { type MqttClient } from 'mqtt'
import type { Logger } from 'pino'
import { type BatchId, encodeReceipt } from '#contract/batch.ts'
import { messageOf } from '#contract/fault.ts'
import { packSealed, type SealPurpose, sealInput } from '#contract/signed.ts'
import { encodePayload } from '#contract/sparkplug/payload.ts'
import { groupFilter, NAMES, type NodeAddress, nodeTopic, stateTopic } from '#contract/topics.ts'

export type BrokerAccess = { readonly url: string; readonly username?: string; readonly password?: string }

export type HostEvents = {
  readonly message: (topic: string, payload: Uint8Array, options: { retained: boolean }) => void
  readonly connected: () => void
  readonly disconnected: () => void
}

/** Our side of Sparkplug B for one group (or `+`): announces itself, listens, asks for rebirths and sends receipts. */
export class Host {
  readonly #client: MqttClient
  readonly #state: string
  readonly #log: Logger
  readonly #rebirthEveryMs: number
  readonly #askedAt = new Map<string, number>()
  /** The connection that is held back, and lets go of all that was published meanwhile at once. */
  #held: MqttClient['stream'] | undefined
  #onlineSince = 0
  #closing = false

  private constructor(client: MqttClient, options: { state: string; log: Logger; rebirthEveryMs: number }) {
    this.#client = client
    this.#state = options.state
    this.#log = options.log
    this.#rebirthEveryMs = options.rebirthEveryMs
  }

  /** Resolves at once; the connection comes when the broker does, and again after each loss. */
  static open(
    options: { broker: BrokerAccess; group: string; hostId: string; rebirthEveryMs: number; extraFilters: readonly string[] },
    events: HostEvents,
    log: Logger,
  ): Host {
    const hostId = options.group === '+' ? options.hostId : `${options.hostId}-${options.group}`
    const state = stateTopic(hostId)
    const { username, password } = options.broker
    const client = mqtt.connect(options.broker.url, {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      clientId: `${hostId}-${Math.random().toString(16).slice(2, 10)}`,
      clean: true,
      keepalive: 30,
      reconnectPeriod: 1000,
      // What is meant for a broker that is away is said anew when it is back: births are kept, receipts are asked for again.
      queueQoSZero: false,
      will: { topic: state, payload: stateBody(false, Date.now()), qos: 1, retain: true },
    })
    const host = new Host(client, { state, log, rebirthEveryMs: options.rebirthEveryMs })
    host.#listen(options, events)
    return host
  }

  #listen(options: { group: string; extraFilters: readonly string[] }, events: HostEvents): void {
    const client = this.#client
    let lastError = ''
    client.on('error', (error) => {
      if (error.message !== lastError) this.#log.warn({ error: error.message }, 'the broker does not answer; trying again')
      lastError = error.message
    })
    client.on('reconnect', () => {
      // [tck-id-host-topic-phid-death-payload-timestamp-connect]: the will carries the time of its own connection.
      this.#onlineSince = Date.now()
      client.options.will = { topic: this.#state, payload: stateBody(false, this.#onlineSince), qos: 1, retain: true }
    })
    client.on('close', () => {
      if (!this.#closing) events.disconnected()
    })
    client.on('connect', () => {
      lastError = ''
      this.#log.info({ group: options.group }, 'connected to the broker')
      client.subscribe([groupFilter(options.group), this.#state, ...options.extraFilters], { qos: 0 }, (error) => {
        if (error) {
          this.#log.error({ error: error.message }, 'the broker refused the subscription')
          return
        }
        this.#announce()
        events.connected()
      })
    })
    client.on('message', (topic, payload, packet) => {
      if (topic === this.#state) this.#heardOfMyself(payload)
      else events.message(topic, payload, { retained: packet.retain })
    })
  }

  #announce(): void {
    if (this.#onlineSince === 0) this.#onlineSince = Date.now()
    this.#client.publish(this.#state, stateBody(true, this.#onlineSince), { qos: 1, retain: true })
  }

  // [tck-id-host-topic-phid-birth-required]: a STATE that calls us offline while we are here (an old will) is corrected.
  #heardOfMyself(payload: Uint8Array): void {
    if (!this.#closing && Buffer.from(payload).toString().includes('"online":false')) this.#announce()
  }

  /** QoS 0, not retained, and nothing if the broker is away: whoever needs it asks again. */
  sendReceipts(node: NodeAddress, ids: readonly BatchId[], siteKey: Buffer | undefined): void {
    const receipt = encodeReceipt(ids)
    this.#command(node, { name: NAMES.receipt, datatype: 'Bytes', value: siteKey ? sealed('receipt', receipt, siteKey) : receipt })
  }

  /** Tells a site that its commissioning record is durable; as {@link sendReceipts}. */
  sendCommissioned(node: NodeAddress, id: string, siteKey: Buffer | undefined): void {
    const { commissioningReceipt: name } = NAMES
    if (siteKey) this.#command(node, { name, datatype: 'Bytes', value: sealed('commissioned', new TextEncoder().encode(id), siteKey) })
    else this.#command(node, { name, datatype: 'String', value: id })
  }

  /** Asks a node for its births, at most once in `rebirthEveryMs`. */
  askRebirth(node: NodeAddress, reason: string): void {
    const key = `${node.group}/${node.node}`
    const now = Date.now()
    if (now - (this.#askedAt.get(key) ?? Number.NEGATIVE_INFINITY) < this.#rebirthEveryMs) return
    this.#askedAt.set(key, now)
    this.#log.info({ ...node, reason }, 'asking for a rebirth')
    this.#command(node, { name: NAMES.rebirth, datatype: 'Boolean', value: true })
  }

  /** Tells an agent that asked that its data may be deflated. Lost, it costs no more than bytes. */
  askDeflate(node: NodeAddress): void {
    this.#command(node, { name: NAMES.deflate, datatype: 'Boolean', value: true })
  }

  #command(node: NodeAddress, metric: Parameters<typeof encodePayload>[0]['metrics'][number]): void {
    const now = Date.now()
    this.publish(nodeTopic('NCMD', node), encodePayload({ timestamp: now, metrics: [{ ...metric, timestamp: now }] }), { retain: false })
  }

  publish(topic: string, payload: Uint8Array | string, options: { retain: boolean }): void {
    if (!this.#client.connected) return
    this.#holdBack()
    this.#client.publish(
      topic,
      typeof payload === 'string' ? payload : Buffer.from(payload),
      { qos: 0, retain: options.retain },
      (error) => {
        if (error) this.#log.debug({ topic, error: messageOf(error) }, 'not published')
      },
    )
  }

  /** Until what has arrived together has been handled: a system call for each message would cost more than the message. */
  #holdBack(): void {
    const { stream } = this.#client
    if (this.#held === stream) return
    this.#held = stream
    stream.cork()
    setImmediate(() => {
      stream.uncork()
      if (this.#held === stream) this.#held = undefined
    })
  }

  async close(): Promise<void> {
    this.#closing = true
    if (this.#client.connected) {
      await this.#client.publishAsync(this.#state, stateBody(false, this.#onlineSince), { qos: 1, retain: true })
    }
    await this.#client.endAsync(!this.#client.connected)
  }
}

/** Who owns the broker, but not the site's key, can't make its agent forget. */
function sealed(purpose: SealPurpose, content: Uint8Array, siteKey: Buffer): Uint8Array {
  const mac = createHmac('sha256', siteKey).update(sealInput(purpose, content)).digest()
  return packSealed({ mac: new Uint8Array(mac), content })
}

/** [tck-id-host-topic-phid-birth-payload]: JSON, `online` and `timestamp`. */
const stateBody = (online: boolean, timestamp: number): string => JSON.stringify({ online, timestamp })
