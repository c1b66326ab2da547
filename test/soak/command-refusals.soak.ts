/** Every refusal that a dispatcher can meet is made to happen over a GPRS link, and read off the screen in both languages: one row of the printed table each. All takes half an hour; SLUICE_SOAK_PARTS (agent,way,center,restarts) chooses. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PASSWORD } from '#api/testing/start-api.ts'
import type { CommandAction } from '#contract/command.ts'
import type { TighterLimits } from '#contract/control-limits.ts'
import type { CommandView, GateControl, Selected } from '#contract/http/command.ts'
import { enReasons, zhReasons } from '../../dashboard/src/command/reasons.ts'
import { openBrowser, screenshot, signIn, visit } from '../support/browser.ts'
import { type ControlPlant, startControlPlant } from '../support/control-plant.ts'
import { root } from '../support/program.ts'
import { AT_THE_END, type Reason, ROWS } from '../support/refusal-rows.ts'
import { until } from '../support/servers.ts'

const GATE = 'yc-zh-03'
const SITE = 'yc-s012'
const SILENT_GATE = 'wl-zh-01'
type Row = { cause: string; where: 'center' | 'agent'; code: string; zh: string; en: string; wrong: string }
const table: Row[] = []
let plant: ControlPlant
let browser: Browser
let address: string
let [zh, en]: Page[] = []
const pages = (): { zh: Page; en: Page } => {
  if (!zh || !en) throw new Error('there is no page')
  return { zh, en }
}

beforeAll(async () => {
  plant = await startControlPlant({ dashboardFolder: join(root, 'dist', 'dashboard'), link: 'gprs' })
  address = await plant.app.listen({ host: '127.0.0.1', port: 0 })
  browser = await openBrowser()
  zh = await open(`/gates/${GATE}`)
  en = await open(`/gates/${GATE}`, { language: 'en' })
  for (const page of [zh, en]) await at(page, 'command-target').waitFor()
  await ready()
})
afterAll(async () => {
  await browser?.close()
  await plant?.close()
})

async function open(path: string, options: { login?: string; language?: 'zh' | 'en'; server?: string } = {}): Promise<Page> {
  const { page } = await visit(browser, `${options.server ?? address}${path}`)
  await page.evaluate(`localStorage.setItem('sluice.locale', '${options.language ?? 'zh'}')`)
  await page.reload()
  await signIn(page, { login: options.login ?? 'wang', password: PASSWORD })
  return page
}
const at = (page: Page, name: string) => page.locator(`[data-test="${name}"]`)
/** By how it begins: a reason that a person wrote is in that person's language. */
const isChinese = (text: string): boolean => /^[\u4e00-\u9fff]/.test(text)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const get = async <T>(path: string, page = pages().zh): Promise<T> =>
  (await (await page.request.get(`${address}/api/v1${path}`)).json()) as T
const commandsOf = async (gate = GATE): Promise<CommandView[]> => (await get<{ items: CommandView[] }>(`/commands?gate=${gate}`)).items
/** The last one that was read soundly: on a busy machine a reading may be late. */
async function opening(): Promise<number> {
  let found = Number.NaN
  await until(async () => {
    const { state } = await get<{ state: { metrics: Record<string, { v: number | null }> } }>(`/gates/${GATE}`)
    found = state.metrics['opening']?.v ?? expect.fail('the opening is not known')
  }, 30_000)
  return found
}
/** The agent agrees with the center, has seen its leaves stand, and its gate is as it was built. */
async function ready({ time = 'trusted' }: { time?: 'trusted' | 'untrusted' } = {}): Promise<void> {
  await until(async () => expect((await get<GateControl>(`/gates/${GATE}/control`)).status?.time).toBe(time), 60_000)
  let before = Number.NaN
  await until(async () => {
    const here = await opening()
    const moved = here !== before
    before = here
    await pause(2500)
    expect(moved).toBe(false)
  }, 120_000)
  await pause(3000)
}
const fault = async (order: object | null): Promise<void> => {
  const headers = { 'content-type': 'application/json' }
  const body = order && { method: 'POST', headers, body: JSON.stringify({ site: SITE, unit: 1, ...order }) }
  expect((await fetch(plant.faultsUrl, body ?? { method: 'DELETE' })).ok).toBe(true)
  // Until the agent has read it.
  await pause(1500)
}

/** As a dispatcher does: from the panel. */
async function select(page: Page, target: number, kind: 'open' | 'flow' = 'open'): Promise<void> {
  await at(page, 'command-kind').selectOption(kind)
  await at(page, 'command-target').fill(target.toFixed(3))
  await at(page, 'select').click()
}
async function order(target: number, kind: 'open' | 'flow' = 'open'): Promise<void> {
  await select(pages().zh, target, kind)
  await at(pages().zh, 'confirm').click()
}
/** Up and down in turn: of a move that is cut short the second leaf knows nothing, and the two must not drift apart. @returns 1 for up */
const orderAway = async (by: number): Promise<1 | -1> => {
  const here = await opening()
  const ahead = here > 0.7 ? -1 : 1
  await order(here + ahead * by)
  return ahead
}
/** What the panel has no field for goes by the API, in the dispatcher's name. */
async function orderByApi(action: CommandAction): Promise<string> {
  const { request } = pages().zh
  const selected = await request.post(`${address}/api/v1/gates/${GATE}/commands`, { data: { action } })
  const { command } = (await selected.json()) as Selected
  expect((await request.post(`${address}/api/v1/commands/${command.id}/confirm`, { data: {} })).status()).toBe(202)
  return command.id
}
async function tighten(limits: TighterLimits): Promise<void> {
  const id = await orderByApi({ kind: 'limits', limits })
  await until(async () => expect((await get<CommandView>(`/commands/${id}`)).state).toBe('done'), 30_000)
}
const isOver = ({ state }: CommandView): boolean => ['done', 'refused', 'failed', 'expired'].includes(state)
/** What only prepares a row is ordered anew where it is refused: on a busy machine an agent may be blind for a moment. */
async function orderUntil(state: 'moving' | 'done', by: number): Promise<1 | -1> {
  for (let tries = 3; ; tries--) {
    const ahead = await orderAway(by)
    let last: CommandView | undefined
    await until(async () => {
      last = (await commandsOf())[0]
      expect(last && (last.state === state || isOver(last)), JSON.stringify(last)).toBe(true)
    }, 40_000)
    if (last?.state === state) return ahead
    if (tries === 1) throw new Error(`${last?.state} ${last?.reason}, and not ${state}`)
    await ready()
  }
}
const underWay = (by: number): Promise<1 | -1> => orderUntil('moving', by)

/** A row is filled whatever happens, so that one wrong row hides no other. */
async function row(told: Pick<Row, 'cause' | 'where' | 'code'>, read: (row: Row) => Promise<void>): Promise<void> {
  const filled: Row = { ...told, zh: '', en: '', wrong: '' }
  table.push(filled)
  await read(filled).catch((error: unknown) => {
    filled.wrong = String(error).split('\n').slice(0, 3).join(' ')
  })
  const { cause, where, code, zh: said, en: saidEn, wrong } = filled
  process.stdout.write(`${[cause, where, code, said, saidEn, ...(wrong ? [`WRONG: ${wrong}`] : [])].join(' | ')}\n`)
  await fault(null)
}
/** `on`: the panel's last command, or the list of the gate's latest ones where a stop or a tag came after it. */
const agentSays = (
  cause: string,
  code: Reason,
  { give, on = 'command-state' }: { give: () => Promise<unknown>; on?: 'command-state' | 'gate-panels' },
): Promise<void> =>
  row({ cause, where: 'agent', code }, async (filled) => {
    const known = new Set((await commandsOf()).map((c) => c.id))
    await give()
    await until(async () => {
      const fresh = (await commandsOf()).filter((c) => !known.has(c.id) && isOver(c))
      expect(fresh.map((c) => c.reason ?? c.state)).toContain(code)
    }, 90_000)
    for (const [language, page] of Object.entries(pages()) as ['zh' | 'en', Page][]) {
      const texts = language === 'zh' ? zhReasons : enReasons
      await until(async () => {
        const text = (await at(page, on).innerText()).replaceAll(/\s+/g, ' ')
        if (code !== 'expired') expect(text).toContain(texts.reason[code])
        if (on === 'command-state') expect(text).toContain(texts.next[code])
        filled[language] = on === 'command-state' ? text : texts.reason[code]
      }, 30_000)
    }
    const shot = on === 'command-state' ? 'command-panel' : on
    await at(pages().zh, shot).screenshot({ path: join(root, 'test', 'output', `refused-${code}.png`) })
  })
/** What the center refuses is told at once to who asked: in both languages, never in the server's own words. */
const centerSays = (cause: string, code: string, refuse: (page: Page) => Promise<void>): Promise<void> =>
  row({ cause, where: 'center', code }, async (filled) => {
    for (const [language, page] of Object.entries(pages()) as ['zh' | 'en', Page][]) {
      const refused = page.waitForResponse((r) => r.status() >= 400 && r.request().method() === 'POST', { timeout: 20_000 })
      await refuse(page)
      const problem = (await (await refused).json()) as { code: string; detail: string }
      expect(problem.code).toBe(code)
      filled[language] = await at(page, 'command-trouble').innerText()
      expect(filled[language]).not.toContain(problem.detail)
      expect(isChinese(filled[language])).toBe(language === 'zh')
    }
    await at(pages().zh, 'command-panel').screenshot({ path: join(root, 'test', 'output', `refused-${code}-${table.length}.png`) })
  })
/** What can not even be ordered is told on the page that stands in its place. */
const pageSays = (cause: string, code: string, how: { path: string; name: string; login?: string; server?: string }): Promise<void> =>
  row({ cause, where: 'center', code }, async (filled) => {
    for (const language of ['zh', 'en'] as const) {
      const page = await open(how.path, { ...how, language })
      await page.locator(how.name).first().waitFor()
      filled[language] = (await page.locator(how.name).first().innerText()).replaceAll(/\s+/g, ' ')
      expect(isChinese(filled[language])).toBe(language === 'zh')
      if (language === 'zh') await screenshot(page, `refused-${code}`)
      await page.context().close()
    }
  })
/** In one breath, before the panel reads anew: what another person did a moment ago. */
const justBefore = (page: Page, { path, body }: { path: string; body: object }): Promise<void> =>
  page.evaluate(
    `fetch(${JSON.stringify(`/api/v1${path}`)}, { method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(body))} })
      .then(() => document.querySelector('[data-test="confirm"]').click())`,
  )
const confirmAfter = async (page: Page, what: (selection: string) => { path: string; body: object }): Promise<void> => {
  await select(page, 0.5)
  await at(page, 'confirm').waitFor()
  await justBefore(page, what((await commandsOf())[0]?.id ?? ''))
}

test('every refusal is on the screen with its reason and what to do next, in Chinese and in English', async () => {
  // Nobody answers there; the center gives up after two minutes, and what it says then is the last row.
  const silent = await open(`/gates/${SILENT_GATE}`, { login: 'zhao' })
  await at(silent, 'command-target').waitFor()
  await select(silent, 0.5)
  await at(silent, 'confirm').click()
  await orderUntil('done', 0.02)
  await ready()

  const parts = { agent: beforeItMoves, way: onTheWay, center: atTheCenter, restarts: afterRestarts }
  const names = Object.keys(parts) as (keyof typeof parts)[]
  const chosen = names.filter((name) => (process.env['SLUICE_SOAK_PARTS'] ?? name).split(',').includes(name))
  expect(chosen).not.toEqual([])
  for (const name of chosen) await parts[name]()

  await row({ cause: 'the agent does not answer for two minutes', where: 'center', code: 'no_answer' }, async (filled) => {
    await until(async () => {
      filled.zh = (await at(silent, 'command-state').innerText()).replaceAll(/\s+/g, ' ')
      expect(filled.zh).toContain(zhReasons.next.no_answer)
    }, 130_000)
    filled.en = '(read in Chinese only)'
  })
  await plant.registry.keys.revoke(SITE, Date.now() as Parameters<typeof plant.registry.keys.revoke>[1])
  await pause(6000)
  await pageSays('the site has no keys, or they were revoked', 'unavailable', {
    path: `/gates/${GATE}`,
    name: '[data-test="unavailable"]',
  })
  const right = table.filter((r) => !r.wrong).length
  process.stdout.write(`${right} of ${table.length} rows are right (${chosen.join(', ')})\n`)
  expect(table.filter((r) => r.wrong)).toEqual([])
  expect(table.map((r) => r.code)).toEqual([...chosen.flatMap((name) => ROWS[name]), ...AT_THE_END])
})

async function atTheCenter(): Promise<void> {
  const { zh: page } = pages()
  await centerSays('a target that no gate has', 'BAD_REQUEST', (p) => select(p, 30))
  await centerSays('the selection was cancelled elsewhere', 'SELECTION_OVER', (p) =>
    confirmAfter(p, (id) => ({ path: `/commands/${id}/cancel`, body: {} })),
  )
  await centerSays('tagged out between selection and confirmation', 'TAGGED_OUT', async (p) => {
    await confirmAfter(p, () => ({ path: `/gates/${GATE}/lockouts`, body: { reason: '检修钢丝绳', hours: 1 } }))
    await at(p, 'command-trouble').waitFor()
    await at(page, 'lift').first().click()
    await at(p, 'select').waitFor()
    await until(async () => expect((await commandsOf())[0]).toMatchObject({ action: { kind: 'untag' }, state: 'done' }), 30_000)
  })
  const li = await open('/', { login: 'li' })
  await li.locator('nav').first().waitFor()
  expect((await li.request.put(`${address}/api/v1/canals/yc-main/hold`)).status()).toBe(200)
  await centerSays('another person holds the canal', 'CANAL_HELD', (p) => select(p, 0.5))
  expect((await li.request.delete(`${address}/api/v1/canals/yc-main/hold`)).status()).toBe(204)
  await li.context().close()
  for (const p of Object.values(pages())) await p.goto(`${address}/gates/${GATE}?order=00000000-0000-4000-8000-000000000000`)
  await centerSays('the dispatch order is not one that waits for this gate', 'CONFLICT', (p) => select(p, 0.5))
  for (const p of Object.values(pages())) await p.goto(`${address}/gates/${GATE}`)

  await pageSays('a gate that is not there', 'no such gate', { path: '/gates/yc-zh-99', name: '.notice' })
  await pageSays('a person who may not command here', 'NOT_ALLOWED', {
    path: `/gates/${GATE}`,
    login: 'engineer',
    name: '[data-test="forbidden"]',
  })
  const strict = await plant.anotherApi({ secondFactor: 'required' })
  const server = await strict.listen({ host: '127.0.0.1', port: 0 })
  await pageSays('signed in without a second factor', 'SECOND_FACTOR_NEEDED', {
    path: `/gates/${GATE}`,
    server,
    name: '[data-test="needs-factor"]',
  })
  const paired = await plant.anotherApi({ secondPerson: 'main_regulators' })
  const pairedServer = await paired.listen({ host: '127.0.0.1', port: 0 })
  await row({ cause: 'a second person has not approved it yet', where: 'center', code: 'awaiting' }, async (filled) => {
    for (const language of ['zh', 'en'] as const) {
      const own = await open(`/gates/${GATE}`, { server: pairedServer, language })
      await at(own, 'command-target').waitFor()
      await select(own, 0.5)
      await at(own, 'confirm').click()
      await at(own, 'command-next').waitFor()
      filled[language] = (await at(own, 'command-state').innerText()).replaceAll(/\s+/g, ' ')
      if (language === 'zh') await screenshot(own, 'refused-awaiting')
      const [mine] = await commandsOf()
      expect(mine?.state).toBe('awaiting')
      expect((await own.request.post(`${pairedServer}/api/v1/commands/${mine?.id}/cancel`, { data: {} })).status()).toBe(200)
      await own.context().close()
    }
  })
}

async function beforeItMoves(): Promise<void> {
  const here = await opening()
  const over: [string, Reason, () => Promise<unknown>][] = [
    ['a target above the highest opening', 'outside_limits', () => order(2.6)],
    ['0.7 m in one step', 'step_too_long', () => order(here > 1.2 ? here - 0.7 : here + 0.7)],
    ['900 m³/s', 'flow_out_of_reach', () => order(900, 'flow')],
    ['leaf 9 of two', 'wrong_structure', () => orderByApi({ kind: 'open', opening_m: here, leaf: 9 })],
    [
      'a preset for a second ago',
      'preset_in_past',
      () => orderByApi({ kind: 'schedule', presets: [{ at: Date.now() - 1000, action: { kind: 'manual' } }] }),
    ],
  ]
  for (const [cause, code, give] of over) await agentSays(cause, code, { give })
  const faults: [string, Reason, object][] = [
    ['the hand switch on local', 'local', { kind: 'spike', metric: 'mode', by: -1, share: 1 }],
    ['a fault of the drive', 'fault', { kind: 'spike', metric: 'fault', by: 16, share: 1 }],
    ['a level that can not be', 'sensor_bad', { kind: 'spike', metric: 'opening', by: 500, share: 1 }],
    ['the upper pool fell by 0.5 m', 'drawdown', { kind: 'spike', metric: 'level_up', by: -0.5, share: 1 }],
    ['a leaf that was moved a moment ago', 'busy', { kind: 'spike', metric: 'opening', by: 0.03, share: 0.5 }],
  ]
  for (const [cause, code, trouble] of faults) {
    await agentSays(cause, code, {
      give: async () => {
        await fault(trouble)
        await order(here + 0.06)
      },
    })
    await pause(1000)
  }
  await ready()
  const tighter: [string, Reason, TighterLimits][] = [
    ['a move within the shortest interval', 'too_soon', { min_interval_s: 3600 }],
    ['more starts than the motor may make', 'too_many_starts', { max_starts_per_h: 1 }],
    ['opening above a pool that is too low', 'level_up_limit', { level_up: { lowest_m: 30 } }],
    ['opening into a pool that is too full', 'level_down_limit', { level_down: { highest_m: -4 } }],
  ]
  for (const [cause, code, limits] of tighter) {
    await tighten(limits)
    await agentSays(cause, code, { give: () => order(here + 0.06) })
  }
  await tighten({ max_difference_m: 0.01 })
  await agentSays('one leaf 0.2 m from the other', 'leaf_difference', {
    give: () => orderByApi({ kind: 'open', opening_m: here + 0.2, leaf: 1 }),
  })
  await tighten({})
  await agentSays('35 s on the way to the site', 'expired', {
    give: async () => {
      await select(pages().zh, here + 0.06)
      await at(pages().zh, 'confirm').waitFor()
      plant.link?.stall(35_000)
      await at(pages().zh, 'confirm').click()
    },
  })
  await ready()
}

async function onTheWay(): Promise<void> {
  const struck = async (trouble: (ahead: 1 | -1) => object): Promise<void> => {
    const ahead = await underWay(0.2)
    await fault(trouble(ahead))
  }
  const spike = (metric: string, by: number): object => ({ kind: 'spike', metric, by, share: 1 })
  await agentSays('the encoder stands from the start', 'no_movement', {
    give: async () => {
      await fault({ kind: 'frozen', metric: 'opening' })
      await orderAway(0.05)
    },
  })
  await ready()
  const troubles: [string, Reason, (ahead: 1 | -1) => object][] = [
    ['the encoder stands on the way', 'stall', () => ({ kind: 'frozen', metric: 'opening' })],
    ['the encoder runs backwards', 'wrong_direction', (ahead) => spike('opening', -0.15 * ahead)],
    ['the encoder runs past the target', 'overshoot', (ahead) => spike('opening', 0.2 * ahead)],
    ['switched to local on the way', 'went_local', () => spike('mode', -1)],
    ['a fault of the drive on the way', 'fault', () => spike('fault', 16)],
  ]
  for (const [cause, code, trouble] of troubles) {
    await agentSays(cause, code, { give: () => struck(trouble) })
    await ready()
  }
  await underWay(0.3)
  await centerSays('another command of this gate is under way', 'GATE_BUSY', async (p) => {
    await select(p, 0.5)
    await at(p, 'confirm').click()
  })
  await at(pages().zh, 'stop').click()
  await ready()
  await agentSays('stopped by a person', 'stopped', {
    on: 'gate-panels',
    give: async () => {
      await underWay(0.1)
      await at(pages().zh, 'stop').click()
    },
  })
  await ready()
  await agentSays('tagged out on the way', 'tagged_out', {
    on: 'gate-panels',
    give: async () => {
      await underWay(0.1)
      await pages().zh.locator('input[aria-label="挂牌原因"]').fill('检修')
      await at(pages().zh, 'tag').click()
    },
  })
  await at(pages().zh, 'lift').first().click()
  await ready()
  await agentSays('the encoder does not come to rest after a stop', 'still_moving', {
    give: async () => {
      await underWay(0.1)
      await at(pages().zh, 'stop').click()
      for (let i = 0; i < 22; i++) {
        await fault(spike('opening', 0.03))
        await fault(null)
      }
    },
  })
  await ready()
  const kept = join(plant.stateFolder, `${GATE}.json`)
  await agentSays('the agent’s disk takes nothing', 'not_kept', {
    give: async () => {
      rmSync(kept)
      mkdirSync(join(kept, 'in the way'), { recursive: true })
      await orderAway(0.02)
    },
  })
  rmSync(kept, { recursive: true })
  await ready()
}

async function afterRestarts(): Promise<void> {
  const hasty = { leaf_width_m: undefined, speed_m_per_min: 5, contact_grace_s: 1, stale_after_s: 3 }
  await agentSays('the agent was restarted on the way', 'restarted', {
    give: async () => {
      await underWay(0.2)
      await plant.restartEdge({ control: hasty })
    },
  })
  await ready()
  await agentSays('ordered while the agent was away', 'old_counter', {
    give: () => plant.restartEdge({ control: hasty, meanwhile: async () => void (await orderAway(0.03)) }),
  })
  await ready()
  await agentSays('by flow, and the site knows no width', 'not_configured', { give: () => order(5, 'flow') })
  await agentSays('slower than its hoist should be', 'timeout', { give: () => orderAway(0.3) })
  await ready()
  await agentSays('the link is lost on the way', 'contact_lost', {
    give: async () => {
      await underWay(0.3)
      plant.link?.outage(6000)
    },
  })
  await ready()
  await agentSays('the encoder is lost on the way', 'sensor_lost', {
    give: async () => {
      await underWay(0.3)
      await fault({ kind: 'spike', metric: 'opening', by: 500, share: 1 })
    },
  })
  await ready()
  const here = await opening()
  await plant.restartEdge({ pollIntervalMs: 3000, control: { stale_after_s: 0.001 } })
  await pause(8000)
  await agentSays('readings older than the site allows', 'sensor_stale', { give: () => order(here + 0.05) })
  await plant.restartEdge({ pollIntervalMs: 9000 })
  await pause(12_000)
  await ready()
  await agentSays('the controller does not answer the write', 'write_failed', {
    give: async () => {
      await select(pages().zh, here + 0.05)
      await at(pages().zh, 'confirm').waitFor()
      await at(pages().zh, 'confirm').click()
      await fault({ kind: 'no_answer' })
    },
  })
  await plant.restartEdge({ clockErrorMs: 600_000 })
  await ready({ time: 'untrusted' })
  await agentSays('the agent’s clock is ten minutes wrong', 'no_trusted_time', { give: () => order(here + 0.05) })
}
