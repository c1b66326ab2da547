/** A new site from nothing to data by the commands of docs/provisioning.md, on a Mosquitto with TLS and the access list that they make; and what it refuses. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import type { LiveState } from '#contract/live.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { openSimulators, type Simulators } from '#simulators/main.ts'
import { type Program, root, startProgram } from '../support/program.ts'
import { freePort, type RealServer, startMosquittoBy, startPostgres, tempFolder, until } from '../support/servers.ts'

const SITE = 'yc-s012'
const OTHER = 'yc-s011'
const GATE = 'yc-yh-03'

const folder = tempFolder('provisioning')
const etc = (name: string): string => join(folder, 'sluice', name)
const stops: (() => Promise<unknown>)[] = []
let postgres: RealServer
let mosquitto: RealServer | undefined
let simulators: Simulators
let port: number
let bus: string
let agent: Program

beforeAll(async () => {
  // Mosquitto gives up root, and reads what is its own.
  chmodSync(folder, 0o711)
  port = await freePort()
  postgres = await startPostgres()
  const profile = (await loadProfiles('edge-agent/profiles')).get('sluice-gate-rtu')
  if (!profile) throw new Error('there is no profile')
  simulators = await openSimulators(
    { district: await loadDistrict('districts/hetao'), profile, host: '127.0.0.1', basePort: 0, seed: 1, sites: [SITE] },
    { now: Date.now, logger: pino({ level: 'silent' }) },
  )
  bus = `127.0.0.1:${simulators.sites[0]?.port}`
  for (const name of ['sluice', 'mosquitto/conf.d']) mkdirSync(join(folder, name), { recursive: true })
  chmodSync(join(folder, 'mosquitto'), 0o711)
  writeFileSync(
    etc('sluice.yaml'),
    stringify({
      mqtt: { url: `mqtts://localhost:${port}` },
      history: { url: `duckdb:${join(folder, 'history.duckdb')}` },
      registry: { url: postgres.url },
      api: { control: { key_file: etc('commands.pem') } },
    }),
  )
})
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop()
  await simulators?.close()
  await mosquitto?.stop()
  await postgres?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** The commands of the page, in order, each block as an administrator pastes it, in this test's folder. */
const BLOCKS = [...readFileSync(join(root, 'docs/provisioning.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map((m) => m[1] ?? '')
const here = (block: string): string =>
  block
    .replaceAll('/etc/sluice', join(folder, 'sluice'))
    .replaceAll('/etc/mosquitto', join(folder, 'mosquitto'))
    .replaceAll('/var/lib/sluice', join(folder, 'var'))
    .replaceAll('broker.example:8883', `localhost:${port}`)
    .replaceAll('broker.example', 'localhost')
    .replaceAll('192.168.1.10:502', bus)
    .replaceAll(' -o mosquitto -g mosquitto', process.getuid?.() === 0 ? ' -o mosquitto -g mosquitto' : '')

/** @returns what the block said. */
async function paste(block: string | undefined): Promise<string> {
  const commands = `set -eu\nnpx() { shift; "${process.execPath}" "${join(root, 'dist/sluice.js')}" "$@"; }\nsystemctl() { :; }\n${here(block ?? '')}`
  const { status, stdout, stderr } = spawnSync('bash', ['-c', commands], { cwd: root, encoding: 'utf8' })
  expect(status, `${block}\n${stdout}${stderr}`).toBe(0)
  if (block?.includes('systemctl restart mosquitto')) await restartMosquitto()
  return stdout
}

async function restartMosquitto(): Promise<void> {
  const file = join(folder, 'mosquitto', 'conf.d', 'sluice.conf')
  const text = readFileSync(file, 'utf8')
    .replace('listener 8883', `listener ${port} 127.0.0.1`)
    .replaceAll('/etc/mosquitto', join(folder, 'mosquitto'))
  writeFileSync(file, text)
  if (!mosquitto) mosquitto = await startMosquittoBy(file, port)
  else {
    await mosquitto.kill()
    await mosquitto.start()
  }
}

const trusting = (): Record<string, string> => ({ NODE_EXTRA_CA_CERTS: etc('tls/ca.crt') })
const environment = (name: string): Record<string, string> =>
  Object.fromEntries(
    readFileSync(etc(`access/${name}.env`), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('=') as [string, string]),
  )

async function connect(options: IClientOptions): Promise<MqttClient> {
  const client = await mqtt.connectAsync(`mqtts://localhost:${port}`, {
    ca: readFileSync(etc('tls/ca.crt')),
    reconnectPeriod: 0,
    ...options,
  })
  stops.push(() => client.endAsync(true))
  return client
}
const service = (name: 'ingest' | 'api'): Promise<MqttClient> => {
  const { SLUICE_MQTT_USERNAME: username = '', SLUICE_MQTT_PASSWORD: password = '' } = environment(name)
  return connect({ username, password })
}
type KeysFile = { broker: { username: string; password: string } }
const siteClient = (file: string): Promise<MqttClient> => connect((parse(readFileSync(file, 'utf8')) as KeysFile).broker)

const FORGED = 'forged'
const MARKER = 'marker'
/** @returns the topics under which a test's own words came to the client meanwhile; what the agent says is left out. */
async function heard(client: MqttClient, work: () => Promise<void>): Promise<string[]> {
  const topics: string[] = []
  const listen = (topic: string, payload: Buffer): void => {
    if ([FORGED, MARKER].includes(payload.toString())) topics.push(topic)
  }
  client.on('message', listen)
  await work()
  client.off('message', listen)
  return topics
}

test('the commands of docs/provisioning.md lead from nothing to data of a site whose receipts are sealed', async () => {
  const [certificates, key, site, files, init, run] = BLOCKS
  await paste(certificates)
  expect((await paste(key)).trim()).toMatch(/^[\w-]{43}$/)
  await paste(site)
  await paste(site?.replace(/^.* seed .*\n/, '').replaceAll(SITE, OTHER))
  expect(statSync(etc(`${SITE}.keys.yaml`)).mode & 0o777).toBe(0o600)
  await paste(files)
  await paste(init)
  expect(existsSync(etc(`${SITE}.keys.yaml`))).toBe(false)
  expect(statSync(etc(`${SITE}.yaml`)).mode & 0o777).toBe(0o600)

  const ingest = await startProgram('ingest', ['ingest', '--config', etc('sluice.yaml')], {
    ready: 'ingest runs',
    env: { ...trusting(), ...environment('ingest') },
  })
  stops.push(() => ingest.kill())
  agent = await startProgram(
    'edge',
    here(run ?? '')
      .trim()
      .split(' ')
      .slice(2),
    { ready: 'edge agent runs', env: trusting() },
  )
  stops.push(() => agent.kill())
  const screen = await service('api')
  const values: LiveState[] = []
  screen.on('message', (_topic, payload) => values.push(JSON.parse(payload.toString()) as LiveState))
  await screen.subscribeAsync('sluice/v1/live/#')
  await until(async () => {
    expect(values.at(-1)).toMatchObject({ gate: GATE, site: SITE, online: true })
    expect(values.at(-1)?.metrics['opening']?.v).toEqual(expect.any(Number))
  })
  await until(async () => {
    const { stdout } = spawnSync(
      process.execPath,
      [join(root, 'dist/sluice.js'), 'edge', 'status', '--config', etc(`${SITE}.yaml`), '--json'],
      { encoding: 'utf8' },
    )
    const { stats } = JSON.parse(stdout) as { stats: { connected: boolean; last_receipt_t: number | null } }
    expect(stats).toMatchObject({ connected: true, last_receipt_t: expect.any(Number) })
  })
})

test('nobody signs in without a name, with a wrong password, without TLS, or trusts a broker of another authority', async () => {
  await expect(connect({})).rejects.toThrow(/not authorized/i)
  await expect(connect({ username: SITE, password: 'guess' })).rejects.toThrow(/not authorized/i)
  await expect(connect({ ca: [] })).rejects.toThrow(/self.signed|unable to verify|issuer/i)
  const plain = mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, connectTimeout: 3000 })
  await expect(plain).rejects.toThrow()
  const doubtful = await startProgram('edge without the authority', ['edge', '--config', etc(`${SITE}.yaml`).replace(SITE, 'doubt')], {
    ready: /self.signed|unable to verify|issuer/i,
    env: copyOfSite('doubt'),
  })
  await doubtful.kill()
})

/** The agent's file under another name and folder: an agent that has not been told of the authority. */
function copyOfSite(name: string): Record<string, string> {
  const text = readFileSync(etc(`${SITE}.yaml`), 'utf8').replaceAll(join(folder, 'var'), join(folder, name))
  writeFileSync(etc(`${name}.yaml`), text)
  return { SLUICE_LOG_LEVEL: 'debug' }
}

test('a site’s credential publishes as that site alone, commands nobody and hears nobody else', async () => {
  const [ingest, thief, victim] = [
    await service('ingest'),
    await siteClient(etc(`${OTHER}.keys.yaml`)),
    await siteClient(etc(`${SITE}.yaml`)),
  ]
  await ingest.subscribeAsync('spBv1.0/#')
  await ingest.subscribeAsync('sluice/v1/#')
  await victim.subscribeAsync(`spBv1.0/yichang/DCMD/${SITE}/+`)
  const foreign = [
    `spBv1.0/yichang/NDATA/${SITE}`,
    `spBv1.0/yichang/NDEATH/${SITE}`,
    `spBv1.0/yichang/DDATA/${SITE}/thief`,
    `spBv1.0/yichang/DCMD/${SITE}/${GATE}`,
    `spBv1.0/yichang/NCMD/${SITE}`,
    `spBv1.0/zonggan/NDATA/${OTHER}`,
    'spBv1.0/STATE/sluice',
    'sluice/v1/live/yichang/thief',
    'sluice/v1/alarm/yichang/thief',
  ]
  const own = `spBv1.0/yichang/DDATA/${OTHER}/yc-yh-02`
  let atVictim: string[] = []
  const atIngest = await heard(ingest, async () => {
    atVictim = await heard(victim, async () => {
      for (const topic of foreign) await thief.publishAsync(topic, FORGED, { qos: 1 })
      await new Promise((resolve) => {
        ingest.on('message', (topic) => topic === own && resolve(undefined))
        void thief.publishAsync(own, MARKER, { qos: 1 })
      })
    })
  })
  expect(atIngest).toEqual([own])
  expect(atVictim).toEqual([])

  const ears = ['#', 'spBv1.0/#', `spBv1.0/yichang/DDATA/${SITE}/+`, `spBv1.0/yichang/DCMD/${SITE}/+`, 'sluice/v1/#', '$SYS/#']
  for (const filter of ears) await thief.subscribeAsync(filter).catch(() => undefined)
  const api = await service('api')
  const atThief = await heard(thief, async () => {
    await thief.subscribeAsync(`spBv1.0/yichang/DCMD/${OTHER}/+`)
    await api.publishAsync(`spBv1.0/yichang/DCMD/${SITE}/nobody`, FORGED, { qos: 1 })
    await new Promise((resolve) => {
      thief.on('message', (topic) => topic === `spBv1.0/yichang/DCMD/${OTHER}/nobody` && resolve(undefined))
      void api.publishAsync(`spBv1.0/yichang/DCMD/${OTHER}/nobody`, MARKER, { qos: 1 })
    })
  })
  expect(new Set(atThief)).toEqual(new Set([`spBv1.0/yichang/DCMD/${OTHER}/nobody`]))
})

test('ingest’s credential sends no command to a gate', async () => {
  const [ingest, api, victim] = [await service('ingest'), await service('api'), await siteClient(etc(`${SITE}.yaml`))]
  await victim.subscribeAsync(`spBv1.0/yichang/DCMD/${SITE}/+`)
  const topics = await heard(victim, async () => {
    await ingest.publishAsync(`spBv1.0/yichang/DCMD/${SITE}/forged`, FORGED, { qos: 1 })
    await new Promise((resolve) => {
      victim.on('message', (topic) => topic.endsWith('/marker') && resolve(undefined))
      void api.publishAsync(`spBv1.0/yichang/DCMD/${SITE}/marker`, MARKER, { qos: 1 })
    })
  })
  expect(topics).toEqual([`spBv1.0/yichang/DCMD/${SITE}/marker`])
})

test('a revoked site can not sign in any more, the trail says who revoked it, and the trail is whole', async () => {
  await agent.kill()
  const [, , , , , , revoke, verify] = BLOCKS
  await paste(revoke)
  await expect(siteClient(etc(`${SITE}.yaml`))).rejects.toThrow(/not authorized/i)
  expect((await siteClient(etc(`${OTHER}.keys.yaml`))).connected).toBe(true)
  expect(await paste(verify)).toMatch(/whole/)
})
