import { randomBytes } from 'node:crypto'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import { LIVE_FILTER, SITE_FILTER } from '#contract/topics.ts'
import { LastStates } from './last-states.ts'
import { LastSites } from './site-states.ts'

export type OpenMqtt = (url: string, options: IClientOptions) => MqttClient
export type FeedAccess = {
  readonly mqttUrl: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly openMqtt?: OpenMqtt | undefined
}

/** The live topics of the broker, followed for as long as the server runs; the broker may come and go. */
export type Feed = {
  readonly states: LastStates
  readonly sites: LastSites
  readonly counts: { readonly changed: number; readonly unchanged: number; readonly refused: number }
  connected(): boolean
  /** Calls `listener` with the id of each gate whose state has changed. */
  onChange(listener: (gate: string) => void): void
  close(): Promise<void>
}

const RECONNECT_MS = 1000
const CONNECT_TIMEOUT_MS = 10_000
const QUIET_MS = 60_000

export function openFeed(access: FeedAccess, deps: { readonly log: Logger }): Feed {
  const { log } = deps
  const states = new LastStates()
  const sites = new LastSites()
  const counts = { changed: 0, unchanged: 0, refused: 0 }
  const listeners = new Set<(gate: string) => void>()
  let refusalsQuietUntil = 0
  const warnOfRefusal = (topic: string, reason: string): void => {
    const now = performance.now()
    if (now < refusalsQuietUntil) return
    refusalsQuietUntil = now + QUIET_MS
    log.warn({ topic, reason, refused: counts.refused }, 'live message refused; more in the next minute are only counted')
  }
  const client = (access.openMqtt ?? connect)(access.mqttUrl, {
    clientId: `sluice-api-${randomBytes(6).toString('hex')}`,
    clean: true,
    reconnectPeriod: RECONNECT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    resubscribe: false, // done below on each connection, the first included
    ...(access.username === undefined ? {} : { username: access.username }),
    ...(access.password === undefined ? {} : { password: access.password }),
  })
  client.on('connect', () => {
    // QoS 0: the broker repeats each gate's retained state on every subscription, and a newer one follows soon.
    client.subscribe([LIVE_FILTER, SITE_FILTER], { qos: 0 }, (error) => {
      if (error) log.error({ error: error.message }, 'the broker refuses the live topics')
      else log.info('follows the live topics')
    })
  })
  client.on('message', (topic, payload) => {
    if (topic.startsWith('sluice/v1/site/')) {
      if (sites.take(topic, payload)) return
      counts.refused++
      warnOfRefusal(topic, 'not a site’s state')
      return
    }
    const taken = states.take(topic, payload)
    switch (taken.kind) {
      case 'changed':
        counts.changed++
        for (const listener of listeners) listener(taken.gate)
        return
      case 'nothing new':
        counts.unchanged++
        return
      case 'refused':
        counts.refused++
        warnOfRefusal(topic, taken.reason)
    }
  })
  // While the broker is away each try fails alike: said once.
  let said = ''
  const sayOnce = (what: string): void => {
    if (said !== what) log.warn({ what }, 'no connection to the broker')
    said = what
  }
  client.on('error', (error) => sayOnce(messageOf(error)))
  client.on('close', () => sayOnce(said || 'closed'))
  client.on('connect', () => {
    said = ''
  })
  return {
    states,
    sites,
    counts,
    connected: () => client.connected,
    onChange: (listener) => listeners.add(listener),
    close: async () => {
      await client.endAsync(true)
    },
  }
}
