/**
 * Browsers of one district at once: CPU of the API's process, delays and memory, while every gate changes each second; beside them, in the same
 * run, a plain binary broadcast of socket.io to as many clients. A client that does not read, and an API that is killed.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { LOG } from '#api/testing/start-api.ts'
import { liveTopic } from '#contract/topics.ts'
import { openRegistry } from '#registry/open.ts'
import { districtOf, metricsAt } from '../support/busy-district.ts'
import { openClient } from '../support/client.ts'
import { cpuSeconds, residentMb, root, startProgram } from '../support/program.ts'
import { quantile } from '../support/quantile.ts'
import { copyRegistry } from '../support/registry-template.ts'
import { freePort, startMosquitto, tempFolder, until } from '../support/servers.ts'

const GATES = Number(process.env['SLUICE_BENCH_GATES'] ?? 1000)
const CLIENTS = Number(process.env['SLUICE_BENCH_CLIENTS'] ?? 500)
const SECONDS = Number(process.env['SLUICE_BENCH_SECONDS'] ?? 30)
/** Times the plain broadcast. */
const MOST_TIMES = 3
const BACK_MS = 5000
const SLICES = 20
const READERS = 3

type Report = {
  readonly delays: number[]
  readonly ages: number[]
  readonly connected: number
  readonly back: (number | null)[]
  readonly bytes: number[]
  readonly messages: number[]
  readonly lost: number
  readonly states: [string, { t: number; v: number }][][]
}
type Crowd = { ask(deed: string, how?: object): Promise<Report>; readonly child: ChildProcess }

function startCrowd(): Crowd {
  const child = fork(join(root, 'test/support/socket-crowd.mjs'), { stdio: 'inherit' })
  const ask = (deed: string, how: object = {}): Promise<Report> =>
    new Promise((resolve) => {
      const take = (message: unknown): void => {
        if (typeof message !== 'object' || message === null || !('done' in message) || message.done !== deed) return
        child.off('message', take)
        resolve(message as unknown as Report)
      }
      child.on('message', take)
      child.send({ do: deed, ...how })
    })
  return { ask, child }
}

type Measured = { readonly cpu: number; readonly report: Report }
async function measure(crowd: Crowd, pid: number): Promise<Measured> {
  await crowd.ask('forget')
  const [before, from] = [cpuSeconds(pid), performance.now()]
  await sleep(SECONDS * 1000)
  const cpu = ((cpuSeconds(pid) - before) * 1000) / (performance.now() - from)
  return { cpu, report: await crowd.ask('report') }
}
const percent = (share: number): string => `${(share * 100).toFixed(1)} % of a core`
const delayText = (ms: readonly number[]): string => `p50 ${quantile(ms, 0.5).toFixed(0)} ms, p99 ${quantile(ms, 0.99).toFixed(0)} ms`

test('live connections', async () => {
  const folder = tempFolder('sockets')
  const stops: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    // The plain broadcast, alone on the machine.
    const [plainServer, plainCrowd] = [startCrowd(), startCrowd()]
    stops.push(() => plainServer.child.kill())
    const port = await new Promise<number>((resolve) => {
      plainServer.child.once('message', (message) => resolve((message as { port: number }).port))
      plainServer.child.send({ do: 'serve' })
    })
    await plainCrowd.ask('open', { url: `http://127.0.0.1:${port}`, count: CLIENTS, readers: 0 })
    await sleep(3000)
    const plain = await measure(plainCrowd, plainServer.child.pid ?? -1)
    plainCrowd.child.kill()
    plainServer.child.kill()

    const broker = await startMosquitto()
    stops.push(() => broker.stop())
    const district = districtOf(GATES)
    const who = { login: 'bench', password: 'a long enough password' }
    const registryUrl = await copyRegistry(join(folder, 'registry'))
    const registry = await openRegistry(registryUrl, { log: LOG, migrationsFolder: join(root, 'registry/migrations') })
    await registry.district.seed(district)
    await ensurePerson(registry, { ...who, name: 'Bench', grants: [{ role: 'viewer', area: null }] })
    await registry.close()
    const config = join(folder, 'sluice.yaml')
    const http = await freePort()
    writeFileSync(
      config,
      stringify({
        mqtt: { url: broker.url },
        history: { url: `duckdb:${join(folder, 'history.duckdb')}` },
        registry: { url: registryUrl },
        api: { http: { port: http } },
      }),
    )
    const api = await startProgram('api', ['api', '--config', config], { ready: 'api runs' })
    stops.push(() => api.kill())
    const address = `http://127.0.0.1:${http}`

    const publisher = await connectAsync(broker.url)
    stops.push(() => publisher.endAsync(true))
    let slice = 0
    const timer = setInterval(() => {
      const t = Date.now()
      for (let n = slice; n < GATES; n += SLICES) {
        const of = district.structures[n]
        if (!of) continue
        const state = { gate: of.id, area: of.area, site: of.site, online: true, metrics: metricsAt(n, t) }
        publisher.publish(liveTopic(of.area, of.id), JSON.stringify(state), { qos: 0, retain: true })
      }
      slice = (slice + 1) % SLICES
    }, 1000 / SLICES)
    stops.push(() => clearInterval(timer))
    await sleep(3000)
    const alone = await (async () => {
      const [before, from] = [cpuSeconds(api.pid()), performance.now()]
      await sleep(5000)
      return ((cpuSeconds(api.pid()) - before) * 1000) / (performance.now() - from)
    })()

    const { cookie } = await openClient(address, who)
    const crowd = startCrowd()
    stops.push(() => crowd.child.kill())
    await crowd.ask('open', { url: address, cookie, count: CLIENTS, readers: READERS, packed: process.env['SLUICE_BENCH_PACKED'] !== 'no' })
    await sleep(5000)
    const early = await residentMb(api.pid())
    const own = await measure(crowd, api.pid())
    const late = await residentMb(api.pid())

    process.stdout.write(`
${CLIENTS} clients, ${GATES} gates with 8 metrics at one change a second, ${SECONDS} s (limit: ${MOST_TIMES} times the plain broadcast)
  plain broadcast, 32 kB a second   ${percent(plain.cpu)}, ${delayText(plain.report.delays)} from sending to receipt
  API                               ${percent(own.cpu)} (without clients ${percent(alone)}), ${delayText(own.report.delays)} from sending to receipt
                                    ${delayText(own.report.ages)} from change to receipt, of which up to 500 ms are the two messages a second
                                    ${((own.report.bytes.at(-1) ?? 0) / SECONDS / 1000).toFixed(1)} kB/s and ${((own.report.messages.at(-1) ?? 0) / SECONDS).toFixed(1)} messages/s to each; lost connections: ${own.report.lost}
  memory                            ${early.toFixed(0)} → ${late.toFixed(0)} MB in ${SECONDS} s
`)

    // One that does not read, for as long again.
    await crowd.ask('pause')
    await crowd.ask('forget')
    await sleep(SECONDS * 1000)
    const whileSlow = await residentMb(api.pid())
    const others = await crowd.ask('report')
    await crowd.ask('resume')
    await sleep(3000)
    const after = await crowd.ask('report')
    const [slowMessages = 0] = after.messages
    const otherMessages = others.messages.at(-1) ?? 0
    const oldest = (report: Report, reader: number): number => Date.now() - Math.min(...(report.states[reader] ?? []).map(([, s]) => s.t))
    const slowAge = oldest(after, 0)

    process.stdout.write(`  a client that reads nothing for ${SECONDS} s   ${whileSlow.toFixed(0)} MB; then ${slowMessages} messages (others took ${otherMessages}) and the oldest of its values is ${(slowAge / 1000).toFixed(1)} s old
`)

    await api.kill()
    await sleep(1000)
    await api.start()
    const readyAt = api.readyAt()
    await until(async () => expect((await crowd.ask('count')).back.filter((t) => t === null).length).toBe(0), BACK_MS + CLIENTS * 30)
    const back = (await crowd.ask('count')).back.map((t) => (t ?? Number.NaN) - readyAt)
    await sleep(2500)
    const restored = await crowd.ask('report')
    const ages = Array.from({ length: READERS }, (_, reader) => oldest(restored, reader))

    process.stdout.write(`  API killed                        all ${CLIENTS} back with everything ${(Math.max(...back) / 1000).toFixed(1)} s after it ran again (limit ${BACK_MS / 1000} s); oldest value ${(Math.max(...ages) / 1000).toFixed(1)} s
`)
    expect(restored.states.map((s) => s.length)).toEqual(Array.from({ length: READERS }, () => GATES))
    if (CLIENTS <= 500) {
      expect(Math.max(...ages)).toBeLessThan(3500)
      expect(Math.max(...back)).toBeLessThan(BACK_MS)
      // The plain broadcast takes in nothing; what each gate's change costs before it is told to anybody is stated beside it.
      expect((own.cpu - alone) / plain.cpu).toBeLessThan(MOST_TIMES)
      expect(quantile(own.report.delays, 0.99)).toBeLessThan(MOST_TIMES * Math.max(quantile(plain.report.delays, 0.99), 18))
    }
  } finally {
    for (const stop of stops.toReversed()) await stop()
  }
})
