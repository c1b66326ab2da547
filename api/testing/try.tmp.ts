import { pino } from 'pino'
import { chromium } from 'playwright-core'
import { openApi } from '../main.ts'
import { settingsWith, seed, PASSWORD } from './start-api.ts'
import { openRegistry, openHistory } from './memory.ts'
import { structure, liveState } from './district.ts'
const log = pino({ level: 'silent' })
const registry = await openRegistry('', {}); const history = await openHistory('', {})
await seed(registry)
for (let i = 0; i < 1000; i++) await registry.district.addStructure(structure(`g-${i}`, { area: 'yichang', canal: 'yc-main', site: 'yc-s012' }))
const api = await openApi(settingsWith({ http: { port: 0 } }), { log, registry, history, mqttUrl: 'mqtt://127.0.0.1:1', dashboardFolder: undefined })
const r = await fetch(`${api.address}/api/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ login: 'chief', password: PASSWORD }) })
const cookie = r.headers.get('set-cookie')!.split(';')[0]!
for (let k = 0; k < 3; k++) { const t = performance.now(); const g = await (await fetch(`${api.address}/api/v1/gates?limit=1000`, { headers: { cookie, 'accept-encoding': 'identity' } })).text(); console.log('gates', g.length, (performance.now() - t).toFixed(1)) }
const doc = await (await fetch(`${api.address}/api/openapi.json`)).json() as any
console.log(JSON.stringify(doc.paths['/api/v1/gates/{id}/history'], null, 1).slice(0, 3500))
console.log(JSON.stringify(doc.paths['/api/v1/session'].post, null, 1).slice(0, 2500), Object.keys(doc.components.schemas), JSON.stringify(doc.paths['/metrics']))
await (await import('node:fs')).promises.writeFile('/tmp/openapi.json', JSON.stringify(doc))
try {
const b = await chromium.launch({ executablePath: process.env['CHROME'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
const p = await b.newPage(); const seen: string[] = []
p.on('console', (m) => seen.push(m.type() + ' ' + m.text())); p.on('pageerror', (e) => seen.push('ERR ' + e.message)); p.on('request', (q) => { if (!q.url().startsWith(api.address) && !q.url().startsWith('data:')) seen.push('OUT ' + q.url()) })
await p.goto(`${api.address}/api/docs/`); await p.waitForSelector('.opblock', { timeout: 10000 }); console.log(await p.locator('.opblock').count(), seen)
await p.locator('.opblock').nth(2).click(); await p.waitForTimeout(500); console.log(seen)
await b.close() } catch (e) { console.log(String(e).slice(0, 300)) }
await api.close()
