import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { Type } from 'typebox'
import { stringify } from 'yaml'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { makeKeyFile } from '#api/control/signer.ts'
import { httpListenFault, openApi } from '#api/main.ts'
import { ApiSettings } from '#api/settings.ts'
import { mqttListenFault, openEmbeddedBroker } from '#broker/embedded.ts'
import { parseConfig } from '#contract/config.ts'
import { Fault, messageOf } from '#contract/fault.ts'
import { unixMs } from '#contract/units.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { SiteControl } from '#edge-agent/command/settings.ts'
import { checkOffer } from '#edge-agent/from-center/check-offer.ts'
import { SiteAgent } from '#edge-agent/from-center/site-agent.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { type Edge, openEdge } from '#edge-agent/main.ts'
import { EdgeSettings } from '#edge-agent/settings.ts'
import { openHistory } from '#history/open.ts'
import type { History } from '#history/port.ts'
import { openIngest } from '#ingest/main.ts'
import { IngestSettings } from '#ingest/settings.ts'
import { openRegistry } from '#registry/open.ts'
import { edgeConfigYaml } from '#simulators/edge-config.ts'
import { openSimulators } from '#simulators/main.ts'
import { checkPort } from './check-port.ts'
import { Closers } from './closers.ts'
import { demoKeys } from './demo-keys.ts'
import { canalsWithPast } from './demo-past.ts'
import { DEMO_PROFILE, folders } from './folders.ts'
import { ended } from './run.ts'
import type { DemoSettings } from './settings.ts'

/** The whole system in one process, on loopback, with the simulated Hetao district. Runs until `signal` aborts. */
export async function runDemo(settings: DemoSettings, log: Logger, signal: AbortSignal): Promise<void> {
  const started = performance.now()
  const data = resolve(settings.data)
  checkFolder(data)
  await checkPort({ host: '127.0.0.1', port: settings.http_port }, httpListenFault)
  await checkPort({ host: '127.0.0.1', port: settings.mqtt_port }, mqttListenFault)
  const closers = new Closers(log)
  try {
    const [district, profiles] = await Promise.all([loadDistrict(folders.district), loadProfiles(folders.profiles)])
    const profile = profiles.get(DEMO_PROFILE)
    if (!profile)
      throw new Fault(
        'PROFILE_INVALID',
        `there is no profile ${DEMO_PROFILE} in ${folders.profiles}`,
        'restore the folder from the checkout',
      )

    // Side by side: one waits for the disk while the other reckons. Their locks tell a second start that the folder is in use.
    const openOwnHistory = async (): Promise<History> =>
      closers.add('history', await openHistory(`duckdb:${join(data, 'history.duckdb')}`, { log }))
    const [registry, firstHistory] = await bothOpened(
      openRegistry(`pglite:${join(data, 'registry')}`, { log, migrationsFolder: folders.migrations }).then((r) =>
        closers.add('registry', r),
      ),
      openOwnHistory(),
    )
    await registry.district.seed(district)
    const past = await canalsWithPast(
      district,
      { history: firstHistory, registry },
      {
        folder: data,
        seed: settings.seed,
        days: settings.past_days,
        now: unixMs(Date.now()),
        signal,
      },
    )
    if (!past) return
    // What the store has taken for it, it gives back to the system only when it is closed.
    if (past.wasStored) await firstHistory.close()
    const history = past.wasStored ? await openOwnHistory() : firstHistory
    const keyFile = join(data, 'keys', 'commands.pem')
    const commandKey = makeKeyFile(keyFile)
    const keys = await demoKeys(registry, district.sites)
    const broker = closers.add(
      'broker',
      await openEmbeddedBroker({ host: '127.0.0.1', port: settings.mqtt_port }, { log, access: keys.access }),
    )
    const api = closers.add(
      'api',
      await openApi(
        parseConfig(ApiSettings, {
          file: 'defaults',
          text: stringify({ http: { port: settings.http_port }, control: { key_file: keyFile, second_factor: 'optional' } }),
        }),
        {
          log,
          registry,
          history,
          mqttUrl: broker.url,
          ...keys.api,
          dashboardFolder: folders.dashboard,
        },
      ),
    )
    const simulators = closers.add(
      'simulators',
      await openSimulators(
        { district, profile, host: '127.0.0.1', basePort: 0, seed: settings.seed, canals: past.canals },
        { now: Date.now, logger: log },
      ),
    )
    const password = settings.password ?? randomBytes(9).toString('base64url')
    await ensurePerson(registry, {
      login: 'demo',
      name: '演示 Demo',
      password,
      grants: [
        { role: 'admin', area: null },
        { role: 'dispatcher', area: null },
        { role: 'engineer', area: null },
      ],
    })
    // Check structures of the main canal are moved by two people: here is the second.
    await ensurePerson(registry, { login: 'demo2', name: '值班长 Supervisor', password, grants: [{ role: 'supervisor', area: null }] })

    closers.add(
      'ingest',
      await openIngest(
        parseConfig(IngestSettings, { file: 'defaults', text: '' }),
        { broker: { url: broker.url, ...keys.ingest }, history, registry, log },
        signal,
      ),
    )
    // Its defaults are read once: 81 documents of three lines would take a third of a second.
    const control = parseConfig(Type.Omit(SiteControl, ['site_key', 'state']), {
      file: 'demo',
      text: stringify({ command_keys: [commandKey] }),
    })
    const agents = await Promise.all(
      simulators.sites.map(async (site): Promise<SiteAgent<Edge>> => {
        const choices = {
          brokerUrl: broker.url,
          outboxPath: join(data, 'outbox', site.id),
          pollIntervalMs: settings.poll_ms,
          profile: DEMO_PROFILE,
          // A demo has no link to spare, and its water should be seen to move.
          report: { metrics: { level_up: { deadband: 0 }, level_down: { deadband: 0 } } },
          structures: district.structures,
        }
        const text = edgeConfigYaml(site, choices)
        const edge = parseConfig(EdgeSettings, { file: site.id, text })
        const { siteKey, password } = keys.ofSite(site.id)
        edge.broker = { ...edge.broker, username: site.id, password }
        edge.control = { ...control, site_key: siteKey, state: join(data, 'control', site.id) }
        const siteLog = log.child({ site: site.id })
        return await SiteAgent.open(
          { settings: edge, text },
          {
            open: (s, center) => openEdge(s, { log: siteLog, profiles, center }),
            check: (written) => checkOffer(edge, { ...written, profiles }),
            now: Date.now,
            log: siteLog,
            onFatal: (error) => siteLog.fatal({ error: messageOf(error) }, 'the agent of a demo’s site can not run any more'),
          },
        )
      }),
    )
    for (const agent of agents) closers.add('edge agent', agent)

    announce({
      address: api.address,
      password,
      mqtt: broker.url,
      data,
      sites: agents.length,
      structures: district.structures.length,
      ms: performance.now() - started,
    })
    await ended(signal)
  } finally {
    await closers.closeAll()
  }
}

/** Waits for both even when one fails, so that the other can be closed; the first failure is the one told. */
async function bothOpened<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b])
  return [await a, await b]
}

function announce(d: {
  address: string
  password: string
  mqtt: string
  data: string
  sites: number
  structures: number
  ms: number
}): void {
  process.stdout.write(`
Sluice 河套灌区演示 · Hetao demo: ${d.structures} structures, ${d.sites} sites, simulated. Started in ${(d.ms / 1000).toFixed(1)} s.

  dashboard   ${d.address}
  sign in as  demo   (and demo2, the second person that moves of the main canal need)
  password    ${d.password}

  broker      ${d.mqtt}   (Sparkplug B: mosquitto_sub -p ${new URL(d.mqtt).port} -t 'spBv1.0/#' -v)
  data        ${d.data}
  Ctrl-C stops it; the data stay.
`)
}

/** A folder that can't be written is told before anything is opened. @throws Fault DISK_FULL; system errors as they are. */
function checkFolder(data: string): void {
  mkdirSync(data, { recursive: true })
  const probe = join(data, `.probe-${process.pid}`)
  try {
    writeFileSync(probe, Buffer.alloc(64 * 1024))
  } catch (cause) {
    throw new Fault(
      'DISK_FULL',
      `nothing can be written to ${data}: ${messageOf(cause)}`,
      'make room there, or name another folder with SLUICE_DATA',
      { cause },
    )
  } finally {
    rmSync(probe, { force: true })
  }
}
