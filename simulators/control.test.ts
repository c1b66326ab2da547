import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { DeviceProfile } from '#contract/profile.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { Bus } from '#edge-agent/modbus/bus.ts'
import { until } from '#test/support/servers.ts'
import type { ControlState, FaultState } from './control.ts'
import { openSimulators, type Simulators } from './main.ts'

const root = join(import.meta.dirname, '..')
const file = join(root, 'edge-agent', 'profiles', 'sluice-gate-rtu.yaml')
const profile = parseConfig(DeviceProfile, { text: await readFile(file, 'utf8'), file })
const district = await loadDistrict(join(root, 'districts', 'hetao'))
const log = pino({ level: 'silent' })
const t0 = 1_750_000_000_000

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function open(): Promise<{ simulators: Simulators; url: string; clock: { t: number } }> {
  const clock = { t: t0 }
  const simulators = await openSimulators(
    { district, profile, host: '127.0.0.1', basePort: 0, seed: 1, sites: ['yc-s006'], controlPort: 0 },
    { now: () => clock.t, logger: log },
  )
  cleanups.push(() => simulators.close())
  return { simulators, url: simulators.controlUrl ?? '', clock }
}
const post = (url: string, body: unknown): Promise<Response> =>
  fetch(`${url}/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const stateAt = async (url: string): Promise<ControlState> => (await (await fetch(`${url}/state`)).json()) as ControlState

test('a fault that is posted strikes from then on, is listed, and is gone when it is deleted', async () => {
  const { simulators, url, clock } = await open()
  const [site] = simulators.sites
  const bus = Bus.open({ name: 'b', host: '127.0.0.1', port: site?.port ?? 0, timeout_ms: 1000, transport: 'tcp', pause_ms: 0 }, log)
  cleanups.push(() => bus.close())
  const request = { unit: 1, space: 'holding', address: 0, words: 2 } as const
  await until(async () => expect(await bus.read(request)).toMatchObject({ kind: 'words' }))

  clock.t += 5000
  const reply = await post(url, { kind: 'exception', site: 'yc-s006', unit: 1, code: 2, for_s: 60 })
  expect(reply.status).toBe(201)
  const fault = (await reply.json()) as FaultState
  expect(fault).toMatchObject({ from: t0 + 5000, until: t0 + 65_000, phase: 'active', order: { kind: 'exception', code: 2, share: 1 } })
  expect(await bus.read(request)).toEqual({ kind: 'bad', reason: 'exception_illegal_address' })
  expect(await stateAt(url)).toEqual({ now: t0 + 5000, started: t0, sites: simulators.sites, faults: [fault] })

  expect((await fetch(`${url}/faults/${fault.id}`, { method: 'DELETE' })).status).toBe(204)
  expect(await bus.read(request)).toMatchObject({ kind: 'words' })
  expect((await stateAt(url)).faults).toEqual([])
})

test('faults can wait for their time, and all go at once', async () => {
  const { url, clock } = await open()
  await post(url, { kind: 'merged', site: 'yc-s006', at_s: 10 })
  await post(url, { kind: 'no_answer', site: 'yc-s006', for_s: 5 })
  const phases = async (): Promise<string[]> => (await stateAt(url)).faults.map((f) => f.phase)
  expect(await phases()).toEqual(['waiting', 'active'])
  clock.t += 10_000
  expect(await phases()).toEqual(['active', 'over'])
  expect((await fetch(`${url}/faults`, { method: 'DELETE' })).status).toBe(204)
  expect(await phases()).toEqual([])
})

test('what can’t be done is a problem that says why', async () => {
  const { url } = await open()
  const problem = async (reply: Promise<Response>): Promise<[number, string, string]> => {
    const response = await reply
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const { code, detail } = (await response.json()) as { code: string; detail: string }
    return [response.status, code, detail]
  }
  const json = { 'content-type': 'application/json' }
  expect(await problem(post(url, { kind: 'late', site: 'yc-s006' }))).toEqual([400, 'BAD_REQUEST', expect.stringContaining('delay_ms')])
  expect(await problem(post(url, { kind: 'merged', site: 'nowhere' }))).toEqual([400, 'BAD_REQUEST', expect.stringContaining('nowhere')])
  expect(await problem(fetch(`${url}/faults`, { method: 'POST', headers: json, body: '{' }))).toEqual([
    400,
    'BAD_REQUEST',
    expect.stringContaining('JSON'),
  ])
  expect(await problem(fetch(`${url}/faults`, { method: 'POST', body: '{}' }))).toEqual([400, 'BAD_REQUEST', 'the body is not JSON'])
  const long = JSON.stringify('x'.repeat(70_000))
  expect(await problem(fetch(`${url}/faults`, { method: 'POST', headers: json, body: long }))).toEqual([
    400,
    'BAD_REQUEST',
    expect.stringContaining('65536'),
  ])
  expect(await problem(fetch(`${url}/faults/f9`, { method: 'DELETE' }))).toEqual([404, 'NOT_FOUND', 'there is no fault f9'])
  expect(await problem(fetch(`${url}/nothing`))).toEqual([404, 'NOT_FOUND', 'there is no GET /nothing'])
})
