/** A site's day on a bad link: agents behind 2.5G proxies, outages, half-open deaths, address changes, kills; then the audit. */
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import type { LinkPreset } from '#simulators/link/presets.ts'
import { type Link, openLink } from '#simulators/link.ts'
import { type Audit, audit, outsideDeadband, readInflux, readJournal, readTruth } from '../chaos/audit.ts'
import { type Agent, type Plant, startPlant } from './plant.ts'
import { seeded } from './random.ts'

/** `at` and `forMs` in ms from the start. */
export type Trouble = { readonly at: number; readonly forMs: number } & (
  | { readonly kind: 'outage' | 'half-open' | 'address' | 'agent' }
  | { readonly kind: 'broker' | 'ingest' | 'history' }
)

export type BadDay = {
  readonly sites: number
  readonly intervalMs: number
  readonly ms: number
  readonly preset: LinkPreset
  readonly seed: number
  readonly troubles: readonly Trouble[]
  readonly edge?: Record<string, unknown>
  readonly broker?: Record<string, unknown>
  /** How long the backlog may take to arrive after the end, in ms. */
  readonly patienceMs: number
  /** Told how it goes. */
  readonly log?: (line: string) => void
}

export type BadDayResult = Audit &
  ReturnType<typeof outsideDeadband> & {
    readonly done: Record<string, number>
    readonly up: number
    readonly down: number
    readonly gates: number
    readonly connections: number
  }

const DAY_MS = 86_400_000

/**
 * The troubles of a day, compressed: outages of a minute each half hour, three long ones, a dozen half-open deaths, address changes, a broker,
 * an ingest and a history that are away, and agents that lose their power.
 */
export function dayOfTroubles(ms: number, seed: number): Trouble[] {
  const random = seeded(seed)
  const of = (hours: number): number => (hours * 3_600_000 * ms) / DAY_MS
  const some = (n: number, kind: Trouble['kind'], hours: number): Trouble[] =>
    Array.from({ length: n }, () => ({ kind, at: random() * (ms - of(hours)), forMs: of(hours) }))
  return [
    ...some(48, 'outage', 1 / 60),
    { kind: 'outage' as const, at: of(2), forMs: of(3) },
    { kind: 'outage' as const, at: of(9), forMs: of(1) },
    { kind: 'outage' as const, at: of(16), forMs: of(0.5) },
    ...some(12, 'half-open', 0),
    ...some(6, 'address', 0),
    ...some(6, 'agent', 0.1),
    ...some(2, 'broker', 0.1),
    ...some(3, 'ingest', 0.1),
    ...some(2, 'history', 0.25),
  ].sort((a, b) => a.at - b.at)
}

export async function runBadDay(day: BadDay): Promise<BadDayResult> {
  const log = pino({ level: 'silent' })
  const links: Link[] = []
  const plant = await startPlant({
    sites: day.sites,
    intervalMs: day.intervalMs,
    ...(day.edge ? { edge: day.edge } : {}),
    ...(day.broker ? { broker: day.broker } : {}),
    brokerUrlOf: async ({ port }) => {
      const link = await openLink(
        {
          preset: day.preset,
          settings: { outage_every_ms: 0 },
          listen: { host: '127.0.0.1', port: 0 },
          target: { host: '127.0.0.1', port },
          seed: day.seed + links.length,
        },
        { log },
      )
      links.push(link)
      return `mqtt://127.0.0.1:${link.port}`
    },
  })
  try {
    const done: Record<string, number> = {}
    const started = performance.now()
    let turn = 0
    const working: Promise<void>[] = []
    for (const trouble of day.troubles) {
      await sleep(Math.max(0, started + trouble.at - performance.now()))
      done[trouble.kind] = (done[trouble.kind] ?? 0) + 1
      working.push(strike(trouble, { plant, link: links[turn % links.length], agent: plant.agents[turn % plant.agents.length] }))
      turn += 1
    }
    await sleep(Math.max(0, started + day.ms - performance.now()))
    await Promise.all(working)
    const until = Date.now()
    const counters = links.map((l) => l.counters())
    const journals = () => plant.agents.map((a) => readJournal(a.journal))
    const compare = async () => ({ history: await readInflux(plant.influx.url), journals: journals(), truth: readTruth(plant.truth) })
    let seen = await compare()
    let result = audit(seen.journals, seen.truth, seen.history, { until })
    for (const end = Date.now() + day.patienceMs; result.missing.length > 0 && Date.now() < end; ) {
      await sleep(5000)
      seen = await compare()
      result = audit(seen.journals, seen.truth, seen.history, { until })
      day.log?.(`${result.missing.length} readings are still on their way`)
    }
    return {
      ...result,
      ...outsideDeadband(seen.journals, seen.truth, seen.history, { until }),
      done,
      up: counters.reduce((n, c) => n + c.up.wire_bytes, 0),
      down: counters.reduce((n, c) => n + c.down.wire_bytes, 0),
      connections: counters.reduce((n, c) => n + c.connections.accepted, 0),
      gates: new Set(seen.journals.flatMap((j) => [...j.kept.keys()])).size,
    }
  } finally {
    for (const link of links) await link.close()
    await plant.stop()
  }
}

async function strike(trouble: Trouble, on: { plant: Plant; link: Link | undefined; agent: Agent | undefined }): Promise<void> {
  const { plant, link, agent } = on
  const away = async (victim: { kill(): Promise<void>; start(): Promise<void> }): Promise<void> => {
    await victim.kill()
    await sleep(trouble.forMs)
    await victim.start()
  }
  switch (trouble.kind) {
    case 'outage':
      link?.outage(trouble.forMs)
      return
    case 'half-open':
      link?.killHalfOpen()
      return
    case 'address':
      link?.changeAddress()
      return
    case 'agent':
      if (agent) await away(agent.program)
      return
    case 'broker':
      return await away(plant.mosquitto)
    case 'ingest':
      return await away(plant.ingest)
    case 'history':
      return await away(plant.influx)
  }
}
