/** `npm start` as a stranger meets it: the demo comes up, keeps its data, stops cleanly, and says in a sentence why it can't. */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import type { LedgerReply } from '#contract/http/ledger.ts'
import type { VolumeReply } from '#contract/http/volume.ts'
import type { GateList, HistoryReply } from '#contract/http.ts'
import { openClient } from '../support/client.ts'
import { startDemo } from '../support/demo.ts'
import { residentMb, root } from '../support/program.ts'
import { copyRegistry } from '../support/registry-template.ts'
import { freePort, tempFolder, until } from '../support/servers.ts'

const DAY_MS = 86_400_000
const folder = tempFolder('start')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the demo until it ends by itself. */
function ending(env: Record<string, string>): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'dist/sluice.js'), 'demo'], {
      env: { ...process.env, SLUICE_HTTP_PORT: '0', SLUICE_MQTT_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      // It came up after all: what it said is no reason for ending.
      if (said.includes('Ctrl-C stops it')) child.kill()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    child.on('exit', (code) => resolve({ code, said }))
  })
}

test('all 94 structures are there with fresh, good samples and move; the second start has the first one’s history', async () => {
  const demo = await startDemo(folder, { pastDays: 3, registry: 'made' })
  const firstStartMs = demo.program.readyAt()
  const client = await openClient(demo.address, demo.who)
  const gates = (): Promise<GateList> => client.get<GateList>('/api/v1/gates')
  const fresh = async (): Promise<void> => {
    const { items, total } = await gates()
    expect(total).toBe(94)
    for (const { id, state } of items) {
      const values = Object.values(state?.metrics ?? {})
      expect(values.length, id).toBeGreaterThan(8)
      for (const value of values) expect(value.q, id).toBe(0)
      // Levels are told at each change; what stands still is told again within the minute.
      expect(Date.now() - Math.max(...values.map((v) => v.t)), id).toBeLessThan(10_000)
      expect(Date.now() - Math.min(...values.map((v) => v.t)), id).toBeLessThan(90_000)
    }
  }
  await until(fresh, 60_000)
  const before = new Map((await gates()).items.map((g) => [g.id, g.state?.metrics['level_up']?.v]))
  await sleep(11_000)
  await fresh()
  const moved = (await gates()).items.filter((g) => g.state?.metrics['level_up']?.v !== before.get(g.id))
  expect(moved.length).toBeGreaterThan(90)
  const resident = await residentMb(demo.program.pid())

  const yesterday = { from: Date.now() - 2 * DAY_MS, to: Date.now() - DAY_MS }
  const volume = await client.get<VolumeReply>(`/api/v1/gates/yj-yj-01/volume?from=${yesterday.from}&to=${yesterday.to}&step=hour`)
  expect(Math.min(...volume.periods.map((p) => p.completeness))).toBeGreaterThan(0.99)
  expect(Math.min(...volume.periods.map((p) => p.volume_m3 ?? 0))).toBeGreaterThan(0)
  const { entries } = await client.get<LedgerReply>(`/api/v1/sites/yj-s001/ledger?from=${yesterday.from}&to=${yesterday.to}`)
  expect(new Set(entries.map((e) => `${e.kind} ${e.note}`))).toEqual(new Set(['imported 模拟 simulated (sluice demo)']))

  const second = await ending({ SLUICE_DATA: join(folder, 'data') })
  expect(second.code).toBe(1)
  expect(second.said).toMatch(/^sluice: .*is open in another process/m)

  expect(await demo.program.stop()).toBe(0)

  const again = await startDemo(folder)
  const later = await openClient(again.address, again.who)
  const history = await later.get<HistoryReply>(`/api/v1/gates/yj-yj-01/history?metrics=level_up&from=${firstStartMs}&to=${Date.now()}`)
  expect(history.t.length).toBeGreaterThan(1)
  process.stdout.write(`demo: resident ${resident.toFixed(0)} MB in its first run\n`)
  expect(await again.program.stop()).toBe(0)
})

test('a taken port is one sentence with the way out', async () => {
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  try {
    for (const [variable, what] of [
      ['SLUICE_HTTP_PORT', 'HTTP port'],
      ['SLUICE_MQTT_PORT', 'MQTT port'],
    ] as const) {
      const { code, said } = await ending({ SLUICE_DATA: join(folder, 'ports'), [variable]: String(port) })
      expect(code).toBe(1)
      expect(said).toContain(`sluice: ${what} ${port} is in use on 127.0.0.1`)
      expect(said).toContain(`set ${variable} to a free port`)
    }
  } finally {
    other.close()
  }
})

test('a damaged data folder is named, with what to do', async () => {
  const data = join(folder, 'damaged')
  await copyRegistry(join(data, 'registry'))
  writeFileSync(join(data, 'history.duckdb'), 'this is no database'.repeat(1000))
  const history = await ending({ SLUICE_DATA: data })
  expect(history.code).toBe(1)
  expect(history.said).toMatch(/^sluice: .*history\.duckdb/m)
  expect(history.said).toContain('→')

  const other = join(folder, 'damaged-registry')
  mkdirSync(join(other, 'registry', 'data'), { recursive: true })
  writeFileSync(join(other, 'registry', 'data', 'PG_VERSION'), '99\n')
  const registry = await ending({ SLUICE_DATA: other })
  expect(registry.code).toBe(1)
  expect(registry.said).toMatch(/^sluice: .*damaged-registry/m)
  expect(readdirSync(join(other, 'registry', 'data'))).toContain('PG_VERSION')
})

test('a data folder that can’t be made or written to is a sentence, not a stack', async () => {
  const file = join(folder, 'a-file')
  writeFileSync(file, '')
  const { code, said } = await ending({ SLUICE_DATA: join(file, 'data') })
  expect(code).toBe(1)
  expect(said).toMatch(/^sluice: /)
  expect(said).toContain('SLUICE_DATA')
  expect(said).not.toContain('    at ')
})

test('a mistake in the environment is named by its key', async () => {
  const { code, said } = await ending({ SLUICE_DATA: join(folder, 'x'), SLUICE_HTTP_PORT: 'eighty' })
  expect(code).toBe(1)
  expect(said).toContain('http_port')
})
