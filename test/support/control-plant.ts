/** One simulated site, its agent, a broker that enforces the access list, ingest and the API with real stores, in one process. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import mqtt, { type MqttClient } from 'mqtt'
import { pino } from 'pino'
import { stringify } from 'yaml'
import type { App } from '#api/app.ts'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { makeKeyFile } from '#api/control/signer.ts'
import { DISTRICT } from '#api/testing/district.ts'
import { openStores, PASSWORD as PEOPLE_PASSWORD, startApp } from '#api/testing/start-api.ts'
import { hashMqttPassword } from '#broker/accounts.ts'
import type { Principal } from '#broker/acl.ts'
import { openEmbeddedBroker } from '#broker/embedded.ts'
import { parseConfig } from '#contract/config.ts'
import type { District } from '#contract/district.ts'
import { type ClockSources, machineClock } from '#edge-agent/clock.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { type Edge, openEdge } from '#edge-agent/main.ts'
import { EdgeSettings } from '#edge-agent/settings.ts'
import { openIngest } from '#ingest/main.ts'
import { IngestSettings } from '#ingest/settings.ts'
import type { Registry } from '#registry/port.ts'
import { edgeConfigOf } from '#simulators/edge-config.ts'
import type { LinkPreset } from '#simulators/link/presets.ts'
import { type Link, openLink } from '#simulators/link.ts'
import { openSimulators } from '#simulators/main.ts'
import { openModbusTap, type SeenWrite } from './modbus-tap.ts'
import { tempFolder } from './servers.ts'

export const SITE_KEY = Buffer.alloc(32, 7).toString('base64url')
const PASSWORD = 'mqtt password of the test'

export type ControlPlant = {
  readonly app: App
  readonly registry: Registry
  /** Another API node on the same stores and broker; with other rules where they are given. */
  readonly anotherApi: (rules?: Rules) => Promise<App>
  /** Between the agent and the broker; null on loopback. */
  readonly link: Link | null
  readonly keyFile: string
  /** Where the agent keeps what it has of control. */
  readonly stateFolder: string
  readonly brokerUrl: string
  readonly district: District
  readonly edge: () => Edge
  restartEdge(change?: EdgeChange & { readonly meanwhile?: () => Promise<void> }): Promise<void>
  /** Faults of the simulated gates: POST and DELETE /faults. */
  readonly faultsUrl: string
  /** An MQTT client signed in as one of the accounts. */
  client(user: string): Promise<MqttClient>
  close(): Promise<void>
}

type Rules = { readonly secondPerson?: 'main_regulators' | 'nobody'; readonly secondFactor?: 'required' | 'optional' }
/** What an agent has otherwise than the plant's first. */
type EdgeChange = {
  /** Its clock is wrong by so much. */
  readonly clockErrorMs?: number
  readonly pollIntervalMs?: number
  /** Settings of `control` of each device; undefined leaves one out. */
  readonly control?: Readonly<Record<string, unknown>>
}

/** Beside those of the API's tests: a second dispatcher of the same area, and one of another. */
const MORE_PEOPLE = { li: { role: 'supervisor', area: 'yichang' }, zhao: { role: 'dispatcher', area: 'wulanbuhe' } } as const

export async function startControlPlant(
  options: Rules & {
    /** The built dashboard, to be served beside the API. */
    readonly dashboardFolder?: string
    /** Told of each write that the leaf's controller has answered. */
    readonly written?: (write: SeenWrite) => void
    /** The link over which the agent reaches the broker; without it, loopback. */
    readonly link?: LinkPreset
  } = {},
): Promise<ControlPlant> {
  const folder = tempFolder('control')
  const log = pino({ level: process.env['SLUICE_TEST_LOG'] ?? 'silent' })
  const closing: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
  const stores = await openStores(folder)
  closing.push(() => stores.close())
  const { registry, history } = stores
  for (const [login, grant] of Object.entries(MORE_PEOPLE))
    await ensurePerson(registry, { login, name: login, password: PEOPLE_PASSWORD, grants: [grant] })
  const [site] = DISTRICT.sites
  if (!site) throw new Error('the test district has no site')
  const at = Date.now()
  const hash = hashMqttPassword(PASSWORD)
  await registry.keys.put(
    DISTRICT.sites.map((s) => ({ site: s.id, area: s.area, siteKey: SITE_KEY, mqttUser: s.id, mqttHash: hash, madeAt: at })),
  )
  const principals: Record<string, Principal> = { ingest: { kind: 'ingest' }, api: { kind: 'api' }, reader: { kind: 'reader' } }
  for (const s of DISTRICT.sites) principals[s.id] = { kind: 'site', area: s.area, site: s.id }
  const account = (user: string) => {
    const principal = principals[user]
    return principal && { user, hash, principal }
  }
  const broker = await openEmbeddedBroker({ host: '127.0.0.1', port: 0 }, { log, access: { account, anonymous: null } })
  closing.push(() => broker.close())
  const openLinkTo = async (preset: LinkPreset, port: number): Promise<Link> => {
    const ends = { listen: { host: '127.0.0.1', port: 0 }, target: { host: '127.0.0.1', port } }
    const link = await openLink({ preset, ...ends, seed: 1 }, { log })
    closing.push(() => link.close())
    return link
  }
  const link = options.link ? await openLinkTo(options.link, broker.port) : null
  const agentsUrl = link ? `mqtt://127.0.0.1:${link.port}` : broker.url
  const profiles = await loadProfiles('edge-agent/profiles')
  const profile = profiles.get('sluice-gate-rtu')
  if (!profile) throw new Error('there is no profile')
  const simulators = await openSimulators(
    { district: DISTRICT, profile, host: '127.0.0.1', basePort: 0, seed: 1, sites: [site.id], controlPort: 0 },
    { now: Date.now, logger: log },
  )
  closing.push(() => simulators.close())
  const ending = new AbortController()
  const ingest = await openIngest(
    parseConfig(IngestSettings, { file: 'test', text: '' }),
    { broker: { url: broker.url, username: 'ingest', password: PASSWORD }, history, registry, log },
    ending.signal,
  )
  closing.push(() => ingest.close())
  const keyFile = join(folder, 'keys', 'commands.pem')
  const publicKey = makeKeyFile(keyFile)
  const stateFolder = join(folder, 'control')
  const [simulated] = simulators.sites
  if (!simulated) throw new Error('nothing is simulated')
  const { written } = options
  const tap = written && (await openModbusTap(simulated, { asked: async () => undefined, answered: written }))
  if (tap) closing.push(() => tap.close())
  const config = {
    ...edgeConfigOf(simulated, {
      brokerUrl: agentsUrl,
      outboxPath: join(folder, 'outbox'),
      pollIntervalMs: 500,
      profile: profile.name,
      structures: DISTRICT.structures,
    }),
    broker: { url: agentsUrl, username: site.id, password: PASSWORD },
    control: { command_keys: [publicKey], site_key: SITE_KEY, state: stateFolder },
  }
  for (const device of config.buses.flatMap((b) => b.devices)) if (device.control) device.control.limits.min_interval_s = 0
  if (tap) for (const bus of config.buses) bus.port = tap.port
  const clockWrongBy = (ms: number): ClockSources => ({ ...machineClock(Date.now), wall: () => Date.now() + ms })
  const open = ({ clockErrorMs = 0, pollIntervalMs, control = {} }: EdgeChange = {}): Promise<Edge> => {
    const changed = structuredClone(config)
    if (pollIntervalMs !== undefined) changed.poll.interval_ms = pollIntervalMs
    for (const device of changed.buses.flatMap((b) => b.devices)) if (device.control) Object.assign(device.control, control)
    const settings = parseConfig(EdgeSettings, { file: 'test', text: stringify(changed) })
    return openEdge(settings, { log, profiles, clock: clockWrongBy(clockErrorMs) })
  }
  let edge = await open()
  const startApi = (rules: Rules = options) =>
    startApp({
      registry,
      history,
      mqttUrl: broker.url,
      username: 'api',
      password: PASSWORD,
      ...(options.dashboardFolder !== undefined && { dashboardFolder: options.dashboardFolder }),
      settings: {
        control: { key_file: keyFile, second_factor: rules.secondFactor ?? 'optional', second_person: rules.secondPerson ?? 'nobody' },
        sign_in: { tries_per_minute: 1000 },
      },
    })
  const { app } = await startApi()
  closing.push(
    () => app.close(),
    () => edge.close(),
  )
  return {
    app,
    registry,
    link,
    anotherApi: async (rules) => {
      const another = await startApi(rules)
      closing.push(() => another.app.close())
      return another.app
    },
    keyFile,
    stateFolder,
    brokerUrl: broker.url,
    district: DISTRICT,
    edge: () => edge,
    faultsUrl: `${simulators.controlUrl}/faults`,
    restartEdge: async ({ meanwhile, ...change } = {}) => {
      await edge.close()
      await meanwhile?.()
      edge = await open(change)
    },
    client: async (user) => {
      const client = await mqtt.connectAsync(broker.url, { username: user, password: PASSWORD, reconnectPeriod: 0 })
      closing.push(async () => client.end(true))
      return client
    },
    close: async () => {
      ending.abort()
      for (const end of closing.toReversed()) await end()
    },
  }
}
