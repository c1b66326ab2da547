/** A whole plant as separate processes: simulated sites, one agent each, ingest, and real Mosquitto, InfluxDB and PostgreSQL. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { type Program, root, startProgram } from './program.ts'
import { freePort, freePorts, type RealServer, startInflux1, startMosquitto, startPostgres, tempFolder } from './servers.ts'

export type Agent = { readonly site: string; readonly program: Program; readonly journal: string }
export type Plant = {
  readonly folder: string
  readonly mosquitto: RealServer
  readonly influx: RealServer
  readonly postgres: RealServer
  readonly simulators: Program
  readonly ingest: Program
  readonly agents: readonly Agent[]
  readonly truth: string
  readonly config: string
  stop(): Promise<void>
}

/**
 * `sites`: how many of the Hetao district's, evenly spread. `edge` is merged into each agent's settings; unless it says otherwise every
 * reading is kept.
 */
export async function startPlant(options: {
  sites: number
  intervalMs: number
  edge?: Record<string, unknown>
  /** Merged into the broker's settings of each agent, with the address under which it reaches the broker. */
  broker?: Record<string, unknown>
  brokerUrlOf?: (mosquitto: RealServer) => Promise<string>
}): Promise<Plant> {
  const folder = tempFolder('plant')
  const stops: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
  const stop = async (): Promise<void> => {
    for (const end of stops.toReversed()) await end()
    stops.length = 0
  }
  try {
    const started = <T extends { stop(): Promise<unknown> }>(thing: T): T => {
      stops.push(() => thing.stop())
      return thing
    }
    const killed = (program: Program): Program => {
      stops.push(() => program.kill())
      return program
    }
    const [mosquitto, influx, postgres] = await Promise.all([
      startMosquitto().then(started),
      startInflux1().then(started),
      startPostgres().then(started),
    ])
    const config = join(folder, 'sluice.yaml')
    writeFileSync(
      config,
      stringify({
        mqtt: { url: mosquitto.url },
        history: { url: influx.url },
        registry: { url: postgres.url },
        api: { http: { port: await freePort() } },
      }),
    )
    const seed = await startProgram('seed', ['seed', '--config', config, '--district', join(root, 'districts/hetao')], {
      ready: 'rows added',
    })
    await seed.stop()

    const all = (parse(readFileSync(join(root, 'districts/hetao/sites.yaml'), 'utf8')) as { sites: { id: string }[] }).sites.map(
      (s) => s.id,
    )
    const basePort = await freePorts(all.length)
    const chosen = Array.from({ length: options.sites }, (_, i) => all[Math.floor((i * all.length) / options.sites)] ?? '')
    const truth = join(folder, 'truth.jsonl')
    const simulate = ['simulate', '--base-port', String(basePort), '--sites', chosen.join(',')]
    const configs = join(folder, 'sites')
    const written = await startProgram(
      'write configs',
      [
        ...simulate,
        '--write-configs',
        configs,
        '--mqtt',
        mosquitto.url,
        '--outbox',
        join(folder, 'outbox'),
        '--interval-ms',
        String(options.intervalMs),
      ],
      { ready: 'configurations written' },
    )
    await written.stop()
    const simulators = killed(await startProgram('simulators', [...simulate, '--truth', truth], { ready: 'hardware listens' }))
    const ingest = killed(await startProgram('ingest', ['ingest', '--config', config], { ready: 'ingest runs' }))

    mkdirSync(join(folder, 'journals'))
    const agents = await Promise.all(
      readdirSync(configs).map(async (file): Promise<Agent> => {
        const path = join(configs, file)
        const site = file.replace('.yaml', '')
        const journal = join(folder, 'journals', `${site}.jsonl`)
        const written = parse(readFileSync(path, 'utf8')) as object
        const broker = options.brokerUrlOf ? { broker: { url: await options.brokerUrlOf(mosquitto), ...options.broker } } : {}
        writeFileSync(path, stringify({ ...written, journal, report: { silence_ms: 0 }, ...broker, ...options.edge }))
        const program = killed(await startProgram(site, ['edge', '--config', path], { ready: 'edge agent runs' }))
        return { site, program, journal }
      }),
    )
    return { folder, mosquitto, influx, postgres, simulators, ingest, agents, truth, config, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
