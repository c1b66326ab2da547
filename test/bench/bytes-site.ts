/**
 * For bytes.bench.ts, which runs it inside a network namespace: simulated gates, an agent that reads them, and two plain publishers of the
 * same readings. Simulated time runs faster: the gates move by it, while agent and publishers read once in each simulated minute.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt from 'mqtt'
import { pino } from 'pino'
import { parseConfig } from '#contract/config.ts'
import type { District } from '#contract/district.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { openEdge } from '#edge-agent/main.ts'
import { EdgeSettings } from '#edge-agent/settings.ts'
import { edgeConfigOf } from '#simulators/edge-config.ts'
import { openSimulators } from '#simulators/main.ts'

export type BytesOrder = {
  readonly district: District
  readonly profile: DeviceProfile
  readonly minuteMs: number
  readonly minutes: number
  readonly truth: string
  readonly journal: string
  readonly outbox: string
  readonly agent: { readonly url: string; readonly settings: Record<string, unknown> }
  /** All readings of a minute at once: they share packets. */
  readonly together: { readonly url: string }
  /** Each when the one before has been acknowledged. */
  readonly oneByOne: { readonly url: string }
}

const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as BytesOrder
const { minuteMs, minutes, profile } = order
const log = pino({ level: 'warn' })
const started = Date.now()
const simulators = await openSimulators(
  { district: order.district, profile, host: '127.0.0.1', basePort: 0, seed: 1, truthFile: order.truth },
  { now: () => started + ((Date.now() - started) * 60_000) / minuteMs, logger: log },
)
const [site] = simulators.sites
if (!site) throw new Error('no site')
const config = edgeConfigOf(site, { brokerUrl: order.agent.url, outboxPath: order.outbox, pollIntervalMs: minuteMs, profile: profile.name })
const text = JSON.stringify({ ...config, journal: order.journal, ...order.agent.settings })
const edge = await openEdge(parseConfig(EdgeSettings, { file: 'bench', text }), { log, profiles: new Map([[profile.name, profile]]) })

const together = await mqtt.connectAsync(order.together.url, { clientId: 'together', keepalive: 120 })
const oneByOne = await mqtt.connectAsync(order.oneByOne.url, { clientId: 'one-by-one', keepalive: 120 })
let published = 0
for (let minute = 1; minute <= minutes; minute++) {
  await sleep(started + minute * minuteMs - Date.now())
  const messages = edge.status().devices.flatMap((device) =>
    Object.entries(device.readings).map(([metric, reading]) => ({
      topic: `hetao/${site.area}/${site.id}/${device.structure}/${metric}`,
      payload: JSON.stringify({ t: Date.now(), v: 'value' in reading ? reading.value : null, q: reading.quality }),
    })),
  )
  published += messages.length
  for (const { topic, payload } of messages) void together.publishAsync(topic, payload, { qos: 1 })
  for (const { topic, payload } of messages) await oneByOne.publishAsync(topic, payload, { qos: 1 })
}
await sleep(3000)
await together.endAsync()
await oneByOne.endAsync()
const { outbox, missed_cycles } = edge.stats()
await edge.close()
await simulators.close()
process.stdout.write(`${JSON.stringify({ started, published, pending: outbox.pending, missed: missed_cycles, health: edge.health() })}\n`)
process.exit(0)
