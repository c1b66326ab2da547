/** A Sparkplug edge node written with the sparkplug-client package alone, none of our code, appears in the dashboard. */
import { rmSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import sparkplug from 'sparkplug-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GateList, HistoryReply } from '#contract/http.ts'
import { openBrowser, signIn, visit } from '../support/browser.ts'
import { openClient } from '../support/client.ts'
import { type Demo, startDemo } from '../support/demo.ts'
import { tempFolder, until } from '../support/servers.ts'

const folder = tempFolder('foreign')
let demo: Demo
let browser: Browser
let stopNode: () => void = () => undefined
beforeAll(async () => {
  demo = await startDemo(folder)
  browser = await openBrowser()
})
afterAll(async () => {
  stopNode()
  await browser?.close()
  await demo?.program.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A pump station's controller as its maker would write it with the reference library. */
function startForeignNode(address: { site: string; gate: string }): { say: (level: number, flow: number) => void; stop: () => void } {
  const client = sparkplug.newClient({
    serverUrl: demo.mqtt,
    username: '',
    password: '',
    groupId: 'yichang',
    edgeNode: address.site,
    clientId: `foreign-${address.site}`,
    version: 'spBv1.0',
    publishDeath: true,
  })
  const values = (level: number, flow: number) => [
    { name: 'level_up', type: 'Double' as const, value: level, timestamp: Date.now() },
    { name: 'flow', type: 'Float' as const, value: flow, timestamp: Date.now() },
  ]
  const birth = (): void => {
    client.publishNodeBirth({ timestamp: Date.now(), metrics: [{ name: 'Node Control/Rebirth', type: 'Boolean', value: false }] })
    client.publishDeviceBirth(address.gate, { timestamp: Date.now(), metrics: values(1.5, 3) })
  }
  client.on('birth', birth)
  client.on('ncmd', birth)
  client.on('error', () => undefined)
  return {
    say: (level, flow) => client.publishDeviceData(address.gate, { timestamp: Date.now(), metrics: values(level, flow) }),
    stop: () => client.stop(),
  }
}

test('an unknown node’s data are shown as not understood; once its gate is registered they are live and in history', async () => {
  const node = startForeignNode({ site: 'foreign-1', gate: 'foreign-gate' })
  stopNode = node.stop
  const client = await openClient(demo.address, demo.who)
  const { page, close } = await visit(browser, `${demo.address}/dead-letters`)
  await signIn(page, demo.who)
  await page.locator('[data-test="no-dead-letters"], [data-test="dead-letters"]').waitFor()
  await until(async () => {
    node.say(1.6, 3.1)
    await page.reload()
    expect(await page.locator('[data-test="dead-letters"]').innerText({ timeout: 1000 })).toContain('foreign-gate')
  })

  const { items } = await client.get<GateList>('/api/v1/gates?area=yichang&limit=1')
  const [like] = items
  if (!like) throw new Error('the district has no gate in yichang')
  const { stale_after_ms: _stale, state: _state, ...structure } = like
  const site = await client.post('/api/v1/sites', {
    id: 'foreign-1',
    name: { zh: '外来站', en: 'Foreign site' },
    area: 'yichang',
    station: '外来',
    report_interval_ms: 5000,
  })
  expect(site.status, await site.clone().text()).toBe(201)
  const gate = await client.post('/api/v1/gates', {
    ...structure,
    id: 'foreign-gate',
    site: 'foreign-1',
    name: { zh: '外来闸', en: 'Foreign gate' },
    provenance: 'invented',
  })
  expect(gate.status, await gate.clone().text()).toBe(201)

  const since = Date.now()
  let level = 2
  await page.goto(`${demo.address}/gates/foreign-gate`)
  await until(async () => {
    level += 0.001
    node.say(level, 3.25)
    expect(await page.locator('[data-metric="flow"]').innerText({ timeout: 1000 })).toContain('3.25')
  }, 60_000)
  await until(async () => {
    const reply = await client.get<HistoryReply>(`/api/v1/gates/foreign-gate/history?metrics=flow&from=${since}&to=${Date.now() + 1000}`)
    expect(reply.t.length).toBeGreaterThan(0)
  })

  node.stop()
  stopNode = () => undefined
  await until(async () => expect(await page.locator('[data-test="gate-condition"]').getAttribute('data-condition')).toBe('offline'))
  await close()
})
