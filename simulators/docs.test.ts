import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { DeviceProfile } from '#contract/profile.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { FAULT_KINDS, FAULT_ORDERS } from './faults/order.ts'
import { LINK_PRESETS } from './link/presets.ts'
import type { LinkSettings } from './link/settings.ts'
import { openSimulators } from './main.ts'
import { parseScenario } from './scenario.ts'

const root = join(import.meta.dirname, '..')
const profileFile = join(root, 'edge-agent', 'profiles', 'sluice-gate-rtu.yaml')
const page = await readFile(join(root, 'docs', 'simulators.md'), 'utf8')
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
const rowsAfter = (head: string): string[] => {
  const lines = page.split('\n')
  const rows = lines.slice(lines.findIndex((line) => line.startsWith(head)) + 2)
  return rows.slice(0, rows.indexOf(''))
}

test('docs/simulators.md lists every fault with its settings as the schemas have them', () => {
  const common = ['kind', 'site', 'unit', 'canal', 'at_s', 'for_s']
  const rows = FAULT_KINDS.map((kind) => {
    const { properties, description, required } = FAULT_ORDERS[kind] as unknown as {
      properties: Record<string, { default?: unknown }>
      description: string
      required: string[]
    }
    const own = Object.entries(properties).filter(([name]) => !common.includes(name) || (name === 'for_s' && required.includes(name)))
    const settings = own.map(([name, { default: value }]) => {
      if (value !== undefined) return `\`${name}\` (${String(value)})`
      return required.includes(name) ? `\`${name}\`` : `\`${name}\` (all)`
    })
    return `| \`${kind}\` | ${settings.join(', ')} | ${description} |`
  })
  expect(rowsAfter('| kind |')).toEqual(rows)
})

test('docs/simulators.md lists every preset of the link as it is', () => {
  const troubles = (s: LinkSettings): string => {
    const stalls = s.stall_every_ms > 0 ? `${s.stall_ms / 1000} s each ${s.stall_every_ms / 1000} s` : 'none'
    const outages = s.outage_every_ms > 0 ? `${s.outage_ms / 60_000} min each ${s.outage_every_ms / 60_000} min` : 'none'
    return stalls === outages ? 'none' : `${stalls}, ${outages}`
  }
  const rows = Object.entries<LinkSettings>(LINK_PRESETS).map(([name, s]) => {
    const [least, most] = [2 * s.latency_ms, 2 * (s.latency_ms + s.jitter_ms)]
    return `| \`${name}\` | ${s.up_bits_per_s / 1000} | ${s.down_bits_per_s / 1000} | ${least === most ? least : `${least}–${most}`} | ${s.idle_death_ms > 0 ? `${s.idle_death_ms / 60_000} min` : 'never'} | ${troubles(s)} |`
  })
  expect(rowsAfter('| preset |')).toEqual(rows)
})

test('the scenario in docs/simulators.md is accepted, and its commands do what it says', async () => {
  const text = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  const scenario = parseScenario({ text, file: 'docs/simulators.md' })
  const simulators = await openSimulators(
    {
      district: await loadDistrict(join(root, 'districts', 'hetao')),
      profile: parseConfig(DeviceProfile, { text: await readFile(profileFile, 'utf8'), file: profileFile }),
      host: '127.0.0.1',
      basePort: 0,
      seed: 1,
      sites: ['yc-s006'],
      scenario,
      controlPort: 0,
    },
    { now: Date.now, logger: pino({ level: 'silent' }) },
  )
  cleanups.push(() => simulators.close())
  const commands = (/```sh\n([\s\S]*?)```/.exec(page)?.[1] ?? '').trim().split('\n')
  const answers: string[] = []
  for (const command of commands) {
    const here = command.replace('localhost:15000', simulators.controlUrl ?? '')
    answers.push((await promisify(execFile)('sh', ['-c', here])).stdout)
  }
  const [state = '', fault = '', ...deleted] = answers
  expect(JSON.parse(state)).toMatchObject({
    sites: simulators.sites,
    faults: [{ order: { kind: 'frozen' } }, { order: { kind: 'late' } }],
  })
  expect(JSON.parse(fault)).toMatchObject({ id: 'f3', phase: 'active', order: { kind: 'spike', by: 3 } })
  expect(deleted).toEqual(['', ''])
})
