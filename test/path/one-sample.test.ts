/** One sample, register to browser, each part a process of its own on real Mosquitto, InfluxDB and PostgreSQL; then with InfluxDB away. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GateList, HistoryReply } from '#contract/http.ts'
import { readInflux, readJournal, readTruth } from '../chaos/audit.ts'
import { openBrowser, signIn, visit } from '../support/browser.ts'
import { type Client, openClient } from '../support/client.ts'
import { type Plant, startPlant } from '../support/plant.ts'
import { type Program, residentMb, startProgram } from '../support/program.ts'
import { until } from '../support/servers.ts'

const who = { login: 'tester', password: 'a long enough password' }
let plant: Plant
let api: Program
let address: string
let client: Client
let browser: Browser

beforeAll(async () => {
  plant = await startPlant({ sites: 4, intervalMs: 1000 })
  api = await startProgram('api', ['api', '--config', plant.config], { ready: 'api runs' })
  address = /"address":"([^"]+)"/.exec(api.log())?.[1] ?? ''
  const added = spawnSync(
    process.execPath,
    ['dist/sluice.js', 'person', 'add', who.login, '--config', plant.config, '--name', '测试员', '--role', 'admin'],
    { input: `${who.password}\n`, encoding: 'utf8' },
  )
  expect(added.stdout, added.stderr).toContain('may sign in')
  client = await openClient(address, who)
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await api?.kill()
  await plant?.stop()
})

const agentOf = (site: string): Program => {
  const agent = plant.agents.find((a) => a.site === site)
  if (!agent) throw new Error(`no agent for ${site}`)
  return agent.program
}
const shown = async (page: Page, gate: string, column: 'up' | 'down' | 'flow'): Promise<string> =>
  (await page.locator(`[data-gate="${gate}"] .${column}`).innerText()).replaceAll(/\s+/g, ' ')

test('a level is the same in the register, on the agent’s disk, in history, in the API and on the screen', async () => {
  const site = plant.agents[0]?.site ?? ''
  let gate = ''
  await until(async () => {
    const { items } = await client.get<GateList>('/api/v1/gates')
    const there = items.find((g) => g.site === site && g.state)
    expect(there).toBeDefined()
    gate = there?.id ?? ''
  })
  await until(async () => expect((await readInflux(plant.influx.url)).size).toBeGreaterThan(200))
  const history = await readInflux(plant.influx.url)
  const kept = readJournal(plant.agents[0]?.journal ?? '').kept.get(gate) ?? new Map()
  const t = [...kept.keys()].filter((at) => history.has(`${gate} ${at} level_up`)).at(-1) ?? 0
  const value = kept.get(t)?.['level_up']?.value
  expect(value).toBeTypeOf('number')
  const served = readTruth(plant.truth).get(`${gate} level_up`) ?? []
  expect(served.filter((s) => s.t <= t).at(-1)?.value).toBeCloseTo(value ?? Number.NaN, 6)
  expect(history.get(`${gate} ${t} level_up`)).toEqual({ value, q: 0 })
  const reply = await client.get<HistoryReply>(`/api/v1/gates/${gate}/history?metrics=level_up&from=${t}&to=${t + 1}`)
  expect(reply).toMatchObject({ bucket_ms: 0, t: [t], level_up: { min: [value], max: [value], mean: [value] } })

  const { page, close } = await visit(browser, address)
  await signIn(page, who)
  await page.locator('[data-test="filter"]').fill(gate)
  await page.locator(`[data-gate="${gate}"]`).waitFor()
  await until(async () => {
    const [level, { items }] = [await shown(page, gate, 'up'), await client.get<GateList>('/api/v1/gates')]
    expect(level).toBe(`${items.find((g) => g.id === gate)?.state?.metrics['level_up']?.v?.toFixed(3)} m`)
  })
  await close()
})

test('while InfluxDB is away for longer than the window lasts, live values go on reaching the browser and no process grows; then all of it is in history', async () => {
  const site = plant.agents[0]?.site ?? ''
  const { items } = await client.get<GateList>('/api/v1/gates')
  const gate = items.find((g) => g.site === site)?.id ?? ''
  const { page, close } = await visit(browser, address)
  await signIn(page, who)
  await page.locator('[data-test="filter"]').fill(gate)
  await page.locator(`[data-gate="${gate}"]`).waitFor()

  const processes = (): [string, Program][] => [
    ['ingest', plant.ingest],
    ['api', api],
    ['agent', agentOf(site)],
  ]
  const resident = async (): Promise<Map<string, number>> =>
    new Map(await Promise.all(processes().map(async ([name, p]) => [name, await residentMb(p.pid())] as [string, number])))

  await plant.influx.kill()
  const downSince = Date.now()
  // The window is 4 batches of one second each; this is long past it.
  await sleep(10_000)
  const early = await resident()
  const values = new Set<string>()
  // At least so long, and at an hour in which the water hardly moves until enough has: what stands still is not told again.
  for (let i = 0; i < 30 || (values.size <= 10 && i < 90); i++) {
    values.add(`${await shown(page, gate, 'up')} ${await shown(page, gate, 'down')} ${await shown(page, gate, 'flow')}`)
    await sleep(700)
  }
  const late = await resident()
  expect(values.size).toBeGreaterThan(10)
  expect(await page.locator(`[data-gate="${gate}"]`).getAttribute('data-condition')).toBe('normal')
  for (const [name, mb] of late) expect(mb - (early.get(name) ?? 0), `${name} grew by MB`).toBeLessThan(25)
  await expect(client.get(`/api/v1/gates/${gate}/history?metrics=level_up&from=${downSince}&to=${Date.now()}`)).rejects.toThrow('503')

  await plant.influx.start()
  const backAt = Date.now()
  await until(async () => {
    const kept = [
      ...(readJournal(plant.agents[0]?.journal ?? '')
        .kept.get(gate)
        ?.keys() ?? []),
    ].filter((t) => t >= downSince && t <= backAt)
    const history = await readInflux(plant.influx.url)
    expect(kept.length).toBeGreaterThan(20)
    expect(kept.filter((t) => !history.has(`${gate} ${t} level_up`))).toEqual([])
  }, 120_000)
  process.stdout.write(
    `InfluxDB away for ${((backAt - downSince) / 1000).toFixed(0)} s: ${values.size} different values on the screen; resident MB ${[...late].map(([name, mb]) => `${name} ${(early.get(name) ?? 0).toFixed(0)} → ${mb.toFixed(0)}`).join(', ')}\n`,
  )
  await close()
})

test('mosquitto_sub sees well-formed Sparkplug topics of every site, and none that are not', () => {
  const { stdout } = spawnSync('mosquitto_sub', ['-p', String(plant.mosquitto.port), '-t', 'spBv1.0/#', '-W', '3', '-F', '%t'], {
    encoding: 'utf8',
  })
  const topics = new Set(stdout.trim().split('\n'))
  for (const agent of plant.agents) {
    const area = /area: (\S+)/.exec(readFileSync(`${plant.folder}/sites/${agent.site}.yaml`, 'utf8'))?.[1]
    expect(
      [...topics].some((t) => t.startsWith(`spBv1.0/${area}/DDATA/${agent.site}/`)),
      agent.site,
    ).toBe(true)
  }
  expect([...topics].filter((t) => !/^spBv1\.0\/(STATE\/sluice|[a-z]+\/(N|D)(BIRTH|DATA|CMD|DEATH)\/.+)$/.test(t))).toEqual([])
})
