/** A gate is moved by a real agent, broker, ingest, API and PostgreSQL, each a process of its own, and one of them is killed at a chosen step of the command's way. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import ModbusRTU from 'modbus-serial'
import mqtt, { type MqttClient } from 'mqtt'
import { pino } from 'pino'
import { stringify } from 'yaml'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { openSeal } from '#api/control/seal.ts'
import { makeKeyFile } from '#api/control/signer.ts'
import { DISTRICT } from '#api/testing/district.ts'
import { type AgentState, type CommandNews, decodeReport } from '#contract/command.ts'
import type { CommandView, GateControl, Selected } from '#contract/http/command.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { edgeConfigOf } from '#simulators/edge-config.ts'
import { openSimulators } from '#simulators/main.ts'
import { type Client, openClient } from './client.ts'
import { openModbusTap, type SeenWrite } from './modbus-tap.ts'
import { root, startProgram } from './program.ts'
import { freePort, startMosquitto, startPostgres, tempFolder, until } from './servers.ts'

/** The steps of a command's way, in their order. */
export const STEPS = [
  'selected',
  'confirming',
  'on the wire',
  'on the agent’s disk',
  'accepted, as told',
  'order on its way to the leaf',
  'order taken by the leaf',
  'moving, as told',
  'half way',
  'arrived',
  'end on the agent’s disk',
  'done, as told',
  'done, as kept',
] as const
export type Step = (typeof STEPS)[number]
export const VICTIMS = ['agent', 'broker', 'ingest', 'api', 'registry'] as const
export type Victim = (typeof VICTIMS)[number]

const SITE = 'yc-s012'
const AREA = 'yichang'
const GATES = ['yc-zh-03', 'yc-zh-04']
const SITE_KEY = Buffer.alloc(32, 7).toString('base64url')
const PASSWORD = 'correct horse battery staple'
const WAY_MM = 40
/** What the encoder's rounding, the report's dead band and a stop on the way may differ by. */
const NEAR_MM = 6
/** It must have seen its leaves stand for some seconds before it moves one. */
const AGENT_SETTLES_MS = 6000
const GO = 4
const LEAF_BLOCK = 100
const LEAF_STRIDE = 20

export type Outcome = {
  readonly victim: Victim
  readonly step: Step
  readonly state: string
  readonly reason: string | null
  /** Orders to move that the leaf was sent for this command. */
  readonly orders: number
  /** How much of its way the leaf has gone, by its encoder. */
  readonly share: number
  /** What a safe reading of the log forbids; empty where all is well. */
  readonly wrong: readonly string[]
}

type Mortal = { kill(): Promise<void>; start(): Promise<void> }
export type KillPlant = { run(victim: Victim, step: Step): Promise<Outcome>; readonly registry: Registry; close(): Promise<void> }

export async function startKillPlant(): Promise<KillPlant> {
  const folder = tempFolder('kills')
  const closing: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
  const log = pino({ level: 'silent' })
  const [postgres, mosquitto] = await Promise.all([startPostgres(), startMosquitto()])
  closing.push(
    () => postgres.stop(),
    () => mosquitto.stop(),
  )
  const registry = await openRegistry(postgres.url, { log, migrationsFolder: join(root, 'registry/migrations') })
  closing.push(() => registry.close())
  await registry.district.seed(DISTRICT)
  await ensurePerson(registry, { login: 'wang', name: 'wang', password: PASSWORD, grants: [{ role: 'dispatcher', area: AREA }] })
  await registry.keys.put([{ site: SITE, area: AREA, siteKey: SITE_KEY, mqttUser: SITE, mqttHash: '-', madeAt: Date.now() }])
  const publicKey = makeKeyFile(join(folder, 'commands.pem'))
  const profile = (await loadProfiles('edge-agent/profiles')).get('sluice-gate-rtu')
  if (!profile) throw new Error('there is no profile')
  const simulators = await openSimulators(
    { district: DISTRICT, profile, host: '127.0.0.1', basePort: 0, seed: 1, sites: [SITE] },
    { now: Date.now, logger: log },
  )
  closing.push(() => simulators.close())
  const [simulated] = simulators.sites
  if (!simulated) throw new Error('nothing is simulated')

  const hooks: { step: Step; fire: (() => Promise<void>) | null; id: string } = { step: 'selected', fire: null, id: '' }
  const reach = async (step: Step): Promise<void> => {
    if (hooks.step !== step || !hooks.fire) return
    const { fire } = hooks
    hooks.fire = null
    await fire()
  }
  let orders: SeenWrite[] = []
  const isGo = ({ values }: SeenWrite): boolean => values[1] === GO
  const tap = await openModbusTap(simulated, {
    asked: async (write) => {
      if (!isGo(write)) return
      orders.push(write)
      await reach('order on its way to the leaf')
    },
    answered: (write) => void (isGo(write) && reach('order taken by the leaf')),
  })
  closing.push(() => tap.close())

  const settings = join(folder, 'sluice.yaml')
  const httpPort = await freePort()
  writeFileSync(
    settings,
    stringify({
      mqtt: { url: mosquitto.url },
      registry: { url: postgres.url },
      history: { url: 'influx1://127.0.0.1:1/none' },
      api: {
        http: { port: httpPort },
        control: { key_file: join(folder, 'commands.pem'), second_factor: 'optional', second_person: 'nobody' },
      },
    }),
  )
  const state = join(folder, 'control')
  const config = {
    ...edgeConfigOf(simulated, {
      brokerUrl: mosquitto.url,
      outboxPath: join(folder, 'outbox'),
      pollIntervalMs: 500,
      profile: profile.name,
      structures: DISTRICT.structures,
      report: { silence_ms: 5000 },
    }),
    control: { command_keys: [publicKey], site_key: SITE_KEY, state },
  }
  for (const b of config.buses) Object.assign(b, { port: tap.port })
  for (const device of config.buses.flatMap((b) => b.devices)) {
    if (!device.control) continue
    Object.assign(device.control.limits, { min_interval_s: 0, max_starts_per_h: 10_000 })
    Object.assign(device.control, { watch_ms: 200 })
  }
  writeFileSync(join(folder, 'site.yaml'), stringify(config))
  const ingest = await startProgram('ingest', ['ingest', '--config', settings], { ready: 'ingest runs' })
  closing.push(() => ingest.kill())
  const api = await startProgram('api', ['api', '--config', settings], { ready: 'api runs' })
  closing.push(() => api.kill())
  const agentBegan = Date.now()
  const agent = await startProgram('agent', ['edge', '--config', join(folder, 'site.yaml')], { ready: 'edge agent runs' })
  closing.push(() => agent.kill())
  const mortals: Record<Victim, Mortal> = { agent, broker: mosquitto, ingest, api, registry: postgres }
  const client: Client = await openClient(`http://127.0.0.1:${httpPort}`, { login: 'wang', password: PASSWORD })

  const spy = await listen(mosquitto.url, {
    command: () => void reach('on the wire'),
    told: (told, id) => {
      if (id !== hooks.id) return
      if (told === 'accepted') void reach('accepted, as told')
      if (told === 'moving') void reach('moving, as told')
      if (told === 'done') void reach('done, as told')
    },
  })
  closing.push(() => spy.endAsync(true))

  const hand = new ModbusRTU.default()
  await hand.connectTCP('127.0.0.1', { port: simulated.port })
  closing.push(async () => hand.close(() => undefined))
  const positionOf = async (gate: string, leaf: number): Promise<number> => {
    hand.setID(simulated.devices.find((d) => d.structure === gate)?.unit ?? 0)
    const { data } = await hand.readHoldingRegisters(LEAF_BLOCK + LEAF_STRIDE * (leaf - 1), 1)
    return data[0] ?? Number.NaN
  }

  let n = 0
  let agentSince = agentBegan
  let restartedAt = 0
  const run = async (victim: Victim, step: Step): Promise<Outcome> => {
    const gate = GATES[n % GATES.length] ?? ''
    const leaf = 1 + (Math.floor(n / GATES.length) % 2)
    n += 1
    const keptFile = join(state, `${gate}.json`)
    const inKept = (wanted: AgentState | null): boolean => {
      if (!existsSync(keptFile)) return false
      const { records } = JSON.parse(readFileSync(keptFile, 'utf8')) as { records: { id: string; state: AgentState }[] }
      const record = records.find((r) => r.id === hooks.id)
      return record !== undefined && (wanted === null || record.state === wanted)
    }
    await until(async () => {
      const control = await client.get<GateControl>(`/api/v1/gates/${gate}/control`)
      const isFresh = (control.status?.t ?? 0) > agentSince && Date.now() - agentSince > AGENT_SETTLES_MS
      if (control.status?.time !== 'trusted' || !control.available || !isFresh)
        throw new Error(`${gate} is not ready: ${JSON.stringify(control.status)}`)
      // After a broker's death its last word stands until the agent is back, whose pauses between tries grow to a minute.
      const { state: shown } = await client.get<{ state: { metrics: Record<string, { t: number }> } | null }>(`/api/v1/gates/${gate}`)
      const newest = Math.max(0, ...Object.values(shown?.metrics ?? {}).map((m) => m.t))
      if (newest <= restartedAt) throw new Error(`nothing has come from ${gate} since the ${victim} was started again`)
      await stillAt(gate, leaf)
    }, 120_000)
    const before = await positionOf(gate, leaf)
    const target = before > 1000 ? before - WAY_MM : before + WAY_MM
    orders = []
    const mortal = mortals[victim]
    let killed = false
    const kill = async (): Promise<void> => {
      killed = true
      await mortal.kill()
    }
    const selected = await client.post(`/api/v1/gates/${gate}/commands`, { action: { kind: 'open', opening_m: target / 1000, leaf } })
    if (selected.status !== 201) throw new Error(`select: ${selected.status} ${await selected.text()}`)
    const { id } = ((await selected.json()) as Selected).command
    Object.assign(hooks, { step, fire: kill, id })
    const watching = watchFor({ gate, leaf, middle: (before + target) / 2, target, before, inKept })
    await reach('selected')
    const confirming = client.post(`/api/v1/commands/${id}/confirm`, {}).catch(() => undefined)
    await reach('confirming')
    await confirming
    // Some steps never come where what must lead to them is dead already: an API that was killed before the confirmation was sent.
    await until(async () => {
      if (killed) return
      const row = await registry.control.command(id)
      const logs = [agent, api, ingest].map((p) => `${p.name}: ${p.log().slice(-3000)}`).join('\n')
      throw new Error(`step “${step}” was never reached: ${JSON.stringify(row)}\n${logs}`)
    }, 40_000)
    await mortal.kill()
    watching.stop = true
    await sleep(700)
    await mortal.start()
    restartedAt = Date.now()
    if (victim === 'agent') agentSince = Date.now()
    const row = await endOf(id)
    await until(() => stillAt(gate, leaf), 30_000)
    return { victim, step, ...(await judge({ id, gate, leaf, before, target, row })) }
  }

  /** Fires the steps that are seen by looking: on the agent's disk, on the leaf, in the registry. */
  function watchFor(at: {
    gate: string
    leaf: number
    middle: number
    target: number
    before: number
    inKept: (wanted: AgentState | null) => boolean
  }): { stop: boolean } {
    const watching = { stop: false }
    const sign = Math.sign(at.target - at.before)
    const look = async (): Promise<void> => {
      if (at.inKept(null)) await reach('on the agent’s disk')
      if (at.inKept('done')) await reach('end on the agent’s disk')
      if (hooks.step === 'half way' || hooks.step === 'arrived') {
        const here = await positionOf(at.gate, at.leaf)
        if ((here - at.middle) * sign >= 0) await reach('half way')
        if (here === at.target) await reach('arrived')
      }
      if (hooks.step === 'done, as kept' && (await registry.control.command(hooks.id))?.state === 'done') await reach('done, as kept')
    }
    void (async () => {
      while (!watching.stop && hooks.fire) {
        await look()
        await sleep(2)
      }
    })()
    return watching
  }

  async function stillAt(gate: string, leaf: number): Promise<void> {
    const first = await positionOf(gate, leaf)
    await sleep(1200)
    if ((await positionOf(gate, leaf)) !== first) throw new Error(`leaf ${leaf} of ${gate} still moves`)
  }

  /** The last word about the command. What was never sent is cancelled, as the dispatcher would who sees it still selected. */
  async function endOf(id: string): Promise<CommandView> {
    let row: CommandView | undefined
    await until(async () => {
      row = await client.get<CommandView>(`/api/v1/commands/${id}`)
      if (row.state === 'selected') await client.post(`/api/v1/commands/${id}/cancel`, {})
      if (!['done', 'failed', 'refused', 'expired', 'cancelled'].includes(row.state)) throw new Error(`${id} is still ${row.state}`)
    }, 150_000)
    if (!row) throw new Error('no command')
    return row
  }

  async function judge(at: { id: string; gate: string; leaf: number; before: number; target: number; row: CommandView }) {
    const { id, gate, leaf, before, target, row } = at
    const here = await positionOf(gate, leaf)
    const wrong: string[] = []
    const share = Math.round(((here - before) / (target - before)) * 100) / 100
    const mine = orders.filter(({ values }) => values[0] === target)
    if (orders.length !== mine.length) wrong.push(`the leaf was sent elsewhere: ${JSON.stringify(orders)}`)
    if (mine.length > 1) wrong.push(`the leaf was ordered ${mine.length} times`)
    if (row.state === 'done' && Math.abs(here - target) > NEAR_MM) wrong.push(`done, and the leaf is at ${here}, not at ${target} mm`)
    if (['refused', 'expired', 'cancelled'].includes(row.state) && (mine.length > 0 || here !== before))
      wrong.push(`${row.state}, and the leaf was moved`)
    if (share < -0.05 || share > 1.15) wrong.push(`the leaf is at ${here} mm, outside its way from ${before} to ${target}`)
    // The screen says where the leaf is, whatever became of the command.
    await until(async () => {
      const { state } = await client.get<{ state: { online: boolean; metrics: Record<string, { v: number | null }> } | null }>(
        `/api/v1/gates/${gate}`,
      )
      const shown = (state?.metrics[leaf === 1 ? 'opening' : `opening_${leaf}`]?.v ?? Number.NaN) * 1000
      if (!state?.online || !(Math.abs(shown - here) <= NEAR_MM)) throw new Error(`the screen shows ${shown} mm, the leaf is at ${here}`)
    }, 40_000).catch((error: unknown) => wrong.push(String(error)))
    const { items } = await registry.audit.list({ subject: gate }, { limit: 50, offset: 0 })
    const told = items.filter((e) => e.details['command'] === id).map((e) => e.action)
    const last = row.state === 'cancelled' ? 'command.cancel' : row.reason === 'no_answer' ? 'command.no_answer' : `command.${row.state}`
    if (!told.includes('command.select')) wrong.push('the trail does not know who selected it')
    if (!told.includes(last)) wrong.push(`the trail has ${told.join(', ')}, and not ${last}`)
    if (mine.length > 0 && !told.includes('command.send')) wrong.push('the leaf was ordered, and the trail does not know who sent it')
    const twice = told.filter((action, i) => told.indexOf(action) !== i)
    if (twice.length > 0) wrong.push(`the trail tells ${twice.join(', ')} twice`)
    return { state: row.state, reason: row.reason, orders: mine.length, share, wrong }
  }

  return {
    run,
    registry,
    close: async () => {
      for (const end of closing.toReversed()) await end()
    },
  }
}

/** Hears commands on the wire, and what ingest passes on of the agents' sealed words. */
async function listen(
  url: string,
  heard: { readonly command: () => void; readonly told: (state: AgentState, id: string) => void },
): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 200 })
  client.on('error', () => undefined)
  client.on('message', (topic, payload) => {
    if (topic.includes('/DCMD/')) {
      heard.command()
      return
    }
    const news = JSON.parse(payload.toString()) as CommandNews
    const content = news.about === 'state' ? openSeal('state', new Uint8Array(Buffer.from(news.sealed, 'base64')), SITE_KEY) : null
    const report = content && decodeReport(content)
    if (report) heard.told(report.state, report.id)
  })
  await client.subscribeAsync(['spBv1.0/+/DCMD/+/+', 'sluice/v1/command/#'])
  return client
}
