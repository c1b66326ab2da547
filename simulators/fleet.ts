import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt, { type MqttClient } from 'mqtt'
import type { Logger } from 'pino'
import { decodeReceipt } from '#contract/batch.ts'
import type { District } from '#contract/district.ts'
import { messageOf } from '#contract/fault.ts'
import { DecodeFault, decodePayload, metricValue } from '#contract/sparkplug/payload.ts'
import { NAMES, nodeTopic, parseSparkplugTopic } from '#contract/topics.ts'
import { addCounts, type FleetCounts, noCounts, VirtualSite } from './fleet/site.ts'

export { fleetDistrict } from './fleet/district.ts'

/** Thousands of virtual sites in one process, each an agent as the center sees it: births, batches, a window, repetitions, an outbox in memory. */

export type FleetOptions = {
  readonly brokerUrl: string
  readonly username?: string
  readonly password?: string
  readonly district: District
  /** How often each structure is reported, in ms; the sites take turns within it. 0: as fast as receipts allow, from `backlog`. */
  readonly everyMs: number
  readonly metrics: readonly string[]
  /** Batches without a receipt that a site has on its way. */
  readonly window: number
  /** Samples of each metric that each structure has waiting at the start, `everyMs` (or 5 s) apart. */
  readonly backlog: number
  readonly samplesPerBatch: number
  /** 1 is as in the field; more share a connection, and then no site's end is announced by a will. */
  readonly sitesPerConnection: number
  readonly retryMs: number
  readonly seed: number
  /** What is read at a structure; where it is not given, `fleetValue`. */
  readonly readingAt?: (metric: string, structure: string, t: number) => number
  /** Told the time from each batch's first sending to its receipt, ms. */
  readonly onReceipt?: (ms: number) => void
}

export type FleetStats = FleetCounts & { readonly sites: number; readonly connected: number }

export type Fleet = {
  stats(): FleetStats
  /** Resolves when every batch that was made has its receipt. */
  delivered(options: { readonly timeoutMs: number }): Promise<boolean>
  /** Ends making readings; what waits is still sent. */
  rest(): void
  close(): Promise<void>
}

export const FLEET_DEFAULTS = {
  metrics: ['level_up', 'level_down', 'opening', 'flow', 'battery', 'rssi', 'mode', 'moving'],
  window: 4,
  backlog: 0,
  samplesPerBatch: 25,
  sitesPerConnection: 1,
  retryMs: 10_000,
  seed: 1,
} as const satisfies Partial<FleetOptions>

/** At once, a broker on two cores would be busy with nothing but new connections. */
const CONNECT_TOGETHER = 50

type FleetDeps = {
  readonly log: Logger
  readonly now: () => number
  /** Whoever waits for a broker that does not come ends it by this. */
  readonly signal?: AbortSignal
}

/** Opens the fleet; resolves when every site has been born, or `signal` aborts. */
export async function openFleet(options: FleetOptions, { log, now, signal }: FleetDeps): Promise<Fleet> {
  const sites = options.district.sites.map((site, i) => {
    const structures = options.district.structures.filter((s) => s.site === site.id).map((s) => s.id)
    return new VirtualSite(
      { group: site.area, node: site.id },
      { ...options, structures, epoch: randomInt(2 ** 32), offset: i / options.district.sites.length },
    )
  })
  const shares: VirtualSite[][] = []
  for (let i = 0; i < sites.length; i += options.sitesPerConnection) shares.push(sites.slice(i, i + options.sitesPerConnection))
  const clients: MqttClient[] = []
  for (let i = 0; i < shares.length; i += CONNECT_TOGETHER)
    clients.push(
      ...(await Promise.all(
        shares.slice(i, i + CONNECT_TOGETHER).map((share) => connectShare(share, options, { log, now, ...(signal && { signal }) })),
      )),
    )

  let resting = false
  const ticking = setInterval(() => {
    for (const site of sites) site.tick(now(), { making: !resting })
  }, TICK_MS)
  const stats = (): FleetStats => ({
    ...sites.map((s) => s.counts).reduce(addCounts, noCounts()),
    sites: sites.length,
    connected: clients.filter((c) => c.connected).length,
  })
  return {
    stats,
    delivered: async ({ timeoutMs }) => {
      for (const end = performance.now() + timeoutMs; performance.now() < end; await sleep(TICK_MS)) {
        const { made, receipted } = stats()
        if (made === receipted && (resting || options.everyMs === 0)) return true
      }
      return false
    },
    rest: () => {
      resting = true
    },
    close: async () => {
      clearInterval(ticking)
      await Promise.all(clients.map((c) => c.endAsync(true)))
    },
  }
}

const TICK_MS = 20

async function connectShare(sites: readonly VirtualSite[], options: FleetOptions, { log, now, signal }: FleetDeps): Promise<MqttClient> {
  const { brokerUrl, username, password } = options
  const [alone] = sites.length === 1 ? sites : []
  const client = mqtt.connect(brokerUrl, {
    clean: true,
    keepalive: 120,
    reconnectPeriod: 1000,
    queueQoSZero: false,
    resubscribe: false,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(alone
      ? { will: { topic: nodeTopic('NDEATH', alone.address), payload: Buffer.from(alone.death(now())), qos: 1 as const, retain: false } }
      : {}),
  })
  const byNode = new Map(sites.map((s) => [s.address.node, s]))
  client.on('message', (topic, payload) => {
    const at = parseSparkplugTopic(topic)
    const site = at?.type === 'NCMD' ? byNode.get(at.node) : undefined
    if (site) command(site, payload, now())
  })
  client.on('error', (error) => log.warn({ error: messageOf(error) }, 'a connection of the fleet'))
  client.on('close', () => {
    for (const site of sites) site.offline()
  })
  return await new Promise((resolve) => {
    if (signal?.aborted) resolve(client)
    signal?.addEventListener('abort', () => resolve(client), { once: true })
    client.on('connect', () => {
      client.subscribe(
        sites.map((s) => nodeTopic('NCMD', s.address)),
        { qos: 0 },
        (error) => {
          if (error) log.error({ error: error.message }, 'the broker refused the fleet')
          const publish = (to: string, bytes: Uint8Array): void => void client.publish(to, Buffer.from(bytes), { qos: 0 })
          for (const site of sites) site.online(publish, now())
          resolve(client)
        },
      )
    })
  })
}

function command(site: VirtualSite, payload: Uint8Array, now: number): void {
  try {
    for (const metric of decodePayload(payload).metrics) {
      const value = metricValue(metric)
      if (metric.name === NAMES.rebirth && value === true) site.bear(now)
      if (metric.name === NAMES.receipt && value instanceof Uint8Array) site.receipt(decodeReceipt(value) ?? [], now)
    }
  } catch (error) {
    if (!(error instanceof DecodeFault)) throw error
  }
}
