import { randomBytes } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { connect } from 'mqtt'
import type { Logger } from 'pino'
import { Value } from 'typebox/value'
import { CommandNews } from '#contract/command.ts'
import { messageOf } from '#contract/fault.ts'
import { DecodeFault, decodePayload, encodePayload, metricValue, type RawMetric } from '#contract/sparkplug/payload.ts'
import {
  COMMAND_FILTER,
  type DeviceAddress,
  deviceTopic,
  NAMES,
  type NodeAddress,
  nodeTopic,
  parseSparkplugTopic,
  SPARKPLUG,
} from '#contract/topics.ts'

export type LinkAccess = { readonly mqttUrl: string; readonly username?: string | undefined; readonly password?: string | undefined }
export type LinkEvents = {
  readonly news: (news: CommandNews) => void
  readonly asked: (node: NodeAddress, nonce: Uint8Array) => void
  /** Of a site's configuration, unread: the seal is opened by whoever acts on it. */
  readonly configNews: (node: NodeAddress, sealed: Uint8Array) => void
}
export type ControlLink = {
  connected(): boolean
  /** QoS 0, never retained. @returns false when the broker is away: nothing waits for it, since a late command is none. */
  command(to: DeviceAddress, signed: Uint8Array): boolean
  time(to: NodeAddress, signed: Uint8Array): void
  config(to: NodeAddress, signed: Uint8Array): void
  close(): Promise<void>
}

/** What a payload may become that an agent has deflated. */
const MOST_INFLATED = 1_048_576

/** @throws DecodeFault */
function metricsOf(payload: Uint8Array): RawMetric[] {
  const outer = decodePayload(payload)
  if (!outer.packed) return outer.metrics
  try {
    return decodePayload(inflateSync(outer.packed, { maxOutputLength: MOST_INFLATED })).metrics
  } catch (cause) {
    throw new DecodeFault('a compressed payload that can not be inflated', { cause })
  }
}

/** The API's own connection to the broker for what concerns control. */
export function openControlLink(access: LinkAccess, events: LinkEvents, log: Logger): ControlLink {
  const client = connect(access.mqttUrl, {
    clientId: `sluice-control-${randomBytes(6).toString('hex')}`,
    clean: true,
    reconnectPeriod: 1000,
    resubscribe: false,
    queueQoSZero: false,
    ...(access.username === undefined ? {} : { username: access.username }),
    ...(access.password === undefined ? {} : { password: access.password }),
  })
  client.on('error', (error) => log.debug({ error: messageOf(error) }, 'control: no connection to the broker'))
  client.on('connect', () => {
    client.subscribe([COMMAND_FILTER, `${SPARKPLUG}/+/NDATA/+`], { qos: 0 }, (error) => {
      if (error) log.error({ error: error.message }, 'the broker refuses the topics of control')
    })
  })
  client.on('message', (topic, payload, packet) => {
    if (topic.startsWith('sluice/')) takeNews(payload, packet)
    else if (!packet.retain) takeNodeData(topic, payload)
  })
  function takeNews(payload: Uint8Array, { retain }: { readonly retain: boolean }): void {
    try {
      const news: unknown = JSON.parse(Buffer.from(payload).toString())
      // How a gate is held is kept for who comes later; what became of a command is not.
      if (Value.Check(CommandNews, news) && (!retain || news.about === 'control')) events.news(news)
    } catch {
      log.debug('a message about control that is no JSON')
    }
  }
  function takeNodeData(topic: string, payload: Uint8Array): void {
    const at = parseSparkplugTopic(topic)
    if (at?.kind !== 'node') return
    try {
      for (const metric of metricsOf(payload)) {
        if (metric.name !== NAMES.nonce && metric.name !== NAMES.configNews) continue
        const value = metricValue(metric)
        if (!(value instanceof Uint8Array)) continue
        if (metric.name === NAMES.nonce) events.asked(at, value)
        else events.configNews(at, value)
      }
    } catch (error) {
      if (!(error instanceof DecodeFault)) throw error
    }
  }
  const send = (topic: string, name: string, value: Uint8Array): boolean => {
    if (!client.connected) return false
    const timestamp = Date.now()
    client.publish(topic, Buffer.from(encodePayload({ timestamp, metrics: [{ name, timestamp, datatype: 'Bytes', value }] })), {
      qos: 0,
      retain: false,
    })
    return true
  }
  return {
    connected: () => client.connected,
    command: (to, signed) => send(deviceTopic('DCMD', to), NAMES.command, signed),
    time: (to, signed) => void send(nodeTopic('NCMD', to), NAMES.time, signed),
    config: (to, signed) => void send(nodeTopic('NCMD', to), NAMES.configOrder, signed),
    close: async () => {
      await client.endAsync(true)
    },
  }
}
