/** For tests: the least that a Sparkplug host must do for our agents. It listens, decodes by the births and, when told to, sends receipts. */
import mqtt, { type MqttClient } from 'mqtt'
import { type BatchId, encodeReceipt, toBatchId } from '#contract/batch.ts'
import { type BirthIndex, birthTable, indexBirth, resolveMetrics } from '#contract/sparkplug/birth.ts'
import { decodePayload, encodePayload, metricValue, type SparkplugMetric } from '#contract/sparkplug/payload.ts'
import {
  type DeviceMessage,
  groupFilter,
  NAMES,
  type NodeAddress,
  type NodeMessage,
  nodeTopic,
  parseSparkplugTopic,
} from '#contract/topics.ts'

export type Heard = {
  readonly type: NodeMessage | DeviceMessage
  readonly device: string | undefined
  readonly seq: number | undefined
  readonly retained: boolean
  readonly qos: number
  readonly metrics: readonly (SparkplugMetric & { name: string })[]
  readonly batch: BatchId | undefined
}

export class SmallHost {
  readonly heard: Heard[] = []
  /** Whether each batch is receipted when it comes. */
  receipts: boolean
  readonly #client: MqttClient
  readonly #node: NodeAddress
  readonly #births = new Map<string, BirthIndex>()

  private constructor(client: MqttClient, options: { node: NodeAddress; receipts: boolean }) {
    this.#client = client
    this.#node = options.node
    this.receipts = options.receipts
  }

  static async open(url: string, options: { node: NodeAddress; receipts: boolean }): Promise<SmallHost> {
    const client = await mqtt.connectAsync(url)
    const host = new SmallHost(client, options)
    client.on('message', (topic, payload, packet) => host.#take(topic, payload, packet))
    await client.subscribeAsync(groupFilter(options.node.group), { qos: 1 })
    return host
  }

  of(type: Heard['type']): Heard[] {
    return this.heard.filter((h) => h.type === type)
  }

  /** The first message that held each batch, in order. */
  batches(): Map<BatchId, Heard> {
    const found = new Map<BatchId, Heard>()
    for (const h of this.heard) if (h.batch !== undefined && !found.has(h.batch)) found.set(h.batch, h)
    return found
  }

  receipt(ids: readonly BatchId[]): void {
    this.#command({ name: NAMES.receipt, datatype: 'Bytes', value: encodeReceipt(ids) })
  }

  askRebirth(): void {
    this.#command({ name: NAMES.rebirth, datatype: 'Boolean', value: true })
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true)
  }

  #command(metric: SparkplugMetric): void {
    this.#client.publish(nodeTopic('NCMD', this.#node), Buffer.from(encodePayload({ timestamp: Date.now(), metrics: [metric] })))
  }

  #take(topic: string, bytes: Buffer, packet: { retain: boolean; qos: number }): void {
    const at = parseSparkplugTopic(topic)
    if (!at || at.node !== this.#node.node || at.type === 'NCMD' || at.type === 'DCMD') return
    const device = at.kind === 'device' ? at.device : undefined
    const payload = decodePayload(bytes)
    if (at.type.endsWith('BIRTH'))
      this.#births.set(device ?? '', indexBirth(birthTable(payload.timestamp ?? 0, payload.metrics, NAMES.batch)))
    const birth = this.#births.get(device ?? '')
    const named = payload.metrics.flatMap((m) => (m.name === undefined ? [] : [{ ...m, name: m.name, value: metricValue(m) ?? null }]))
    const metrics =
      at.type === 'NDEATH' || !birth ? named.map(({ raw: _, datatype: __, ...m }) => m) : resolveMetrics(payload.metrics, birth).metrics
    const id = metrics.find((m) => m.name === NAMES.batch)?.value
    const batch = typeof id === 'bigint' ? toBatchId(id) : undefined
    this.heard.push({ type: at.type, device, seq: payload.seq, retained: packet.retain, qos: packet.qos, metrics, batch })
    if (batch !== undefined && this.receipts) this.receipt([batch])
  }
}
