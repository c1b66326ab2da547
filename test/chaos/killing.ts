import { setTimeout as sleep } from 'node:timers/promises'
import { startPlant } from '../support/plant.ts'
import { seeded } from '../support/random.ts'
import { type Audit, audit, outsideDeadband, readInflux, readJournal, readTruth, unexplainedGaps } from './audit.ts'

const SEED = Number(process.env['SLUICE_CHAOS_SEED'] ?? 1)
export const SECONDS = Number(process.env['SLUICE_CHAOS_SECONDS'] ?? 90)
export const INTERVAL_MS = 1000

type Mortal = { kill(): Promise<void>; start(): Promise<void> }
/** Short, so that the quiet metrics of a run of 90 s are kept many times too. */
export const SILENCE_MS = 5000

type Result = Audit &
  ReturnType<typeof outsideDeadband> & {
    kills: Record<string, number>
    gaps: string[]
    seconds: number
    cycles: number
    missedByCount: number
  }

/** Kills each part at random while the plant runs, starts it again, and compares history with what was kept and served. */
export async function killAtRandom(options: { seconds: number; receipts: 'required' | 'none'; patience: number }): Promise<Result> {
  const random = seeded(SEED)
  const between = (low: number, high: number): number => low + random() * (high - low)
  const plant = await startPlant({
    sites: 20,
    intervalMs: INTERVAL_MS,
    edge: { uplink: { receipts: options.receipts }, report: { silence_ms: SILENCE_MS } },
  })
  try {
    const from = Date.now() + 2 * INTERVAL_MS
    const end = from + options.seconds * 1000
    const kills: Record<string, number> = {}
    const dead = new Map<string, [number, number][]>()
    const murder = async (
      name: string,
      victim: () => Mortal & { site?: string },
      every: [number, number],
      down: [number, number],
    ): Promise<void> => {
      for (;;) {
        await sleep(between(...every))
        const downMs = between(...down)
        if (Date.now() + downMs > end) return
        const mortal = victim()
        const killedAt = Date.now()
        await mortal.kill()
        kills[name] = (kills[name] ?? 0) + 1
        await sleep(downMs)
        await mortal.start()
        // What was being synced when it was killed was not kept yet, and on this load a sync can take a while.
        if (mortal.site) dead.set(mortal.site, [...(dead.get(mortal.site) ?? []), [killedAt - INTERVAL_MS, Date.now() + INTERVAL_MS]])
      }
    }
    let turn = 0
    const nextAgent = (): Mortal & { site: string } => {
      // In turn, so that no agent is killed by two at once and each is killed several times.
      const agent = plant.agents[turn++ % plant.agents.length]
      if (!agent) throw new Error('the plant has no agents')
      return { site: agent.site, kill: () => agent.program.kill(), start: () => agent.program.start() }
    }
    await Promise.all([
      murder('agent', nextAgent, [200, 1500], [100, 2500]),
      murder('agent', nextAgent, [200, 1500], [100, 2500]),
      murder('broker', () => plant.mosquitto, [6000, 14_000], [200, 5000]),
      murder('ingest', () => plant.ingest, [5000, 12_000], [100, 4000]),
      murder('influxdb', () => plant.influx, [6000, 14_000], [500, 9000]),
      murder('postgresql', () => plant.postgres, [8000, 18_000], [500, 6000]),
    ])
    const until = Date.now()
    const journals = (): ReturnType<typeof readJournal>[] => plant.agents.map((a) => readJournal(a.journal))
    const compare = async (): Promise<Audit> => {
      // History first: what it holds must stand in truth and journals, which go on growing.
      const history = await readInflux(plant.influx.url)
      return audit(journals(), readTruth(plant.truth), history, { until })
    }
    let result = await compare()
    for (let waited = 0; result.missing.length > 0 && waited < options.patience; waited++) {
      await sleep(2000)
      result = await compare()
    }
    // Late repetitions would still come within this time.
    await sleep(5000)
    result = await compare()
    const gaps = plant.agents.flatMap((a) =>
      unexplainedGaps(readJournal(a.journal), { from, until, intervalMs: INTERVAL_MS, deadFromTo: dead.get(a.site) ?? [] }),
    )
    const all = journals()
    return {
      ...result,
      ...outsideDeadband(all, readTruth(plant.truth), await readInflux(plant.influx.url), { until }),
      kills,
      gaps,
      seconds: (until - from) / 1000,
      cycles: all.reduce((n, j) => n + [...j.kept.values()].reduce((m, cycles) => m + cycles.size, 0), 0),
      missedByCount: all.reduce((n, j) => n + j.missed.length, 0),
    }
  } finally {
    await plant.stop()
  }
}

export function print(title: string, r: Result): void {
  const kills = Object.entries(r.kills).map(([name, n]) => `${name} ${n}`)
  process.stdout.write(`
${title} (seed ${SEED}, ${r.seconds.toFixed(0)} s, 20 sites at 1 s)
  killed with SIGKILL      ${kills.join(', ')}
  gate cycles read         ${r.cycles}
  served values that history does not know within the deadband ${r.outside.length} of ${r.looked}
  values kept              ${r.kept}, of them BAD ${r.bad}
  values in history        ${r.inHistory}, of them not logged by an agent killed in that instant ${r.unlogged}
  missing                  ${r.missing.length}
  extra                    ${r.extra.length}
  wrong                    ${r.wrong.length}
  cycles missed, as counted by the agents ${r.missedByCount}; absent without a reason ${r.gaps.length}
`)
}
