import { beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseConfig } from '#contract/config.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { loadProfiles } from '../load-profiles.ts'
import { EdgeSettings } from '../settings.ts'
import { centerPartOf } from './center-part.ts'
import { checkOffer } from './check-offer.ts'

const KEY = 'A'.repeat(43)
const OWN = `# Gatehouse of the third regulator; password was hunter2
site: yc-s012
area: yichang
broker:
  url: mqtts://center.example
  password: secret # not secret2
  keepalive_s: 240
outbox: { path: /var/lib/sluice/outbox }
control: { command_keys: [${KEY}], site_key: ${KEY}, state: /var/lib/sluice/control }
poll:
  # as the wave noise wants it
  interval_ms: 5000
buses:
  - name: gates
    host: 10.0.0.5
    devices:
      - structure: yc-zh-03
        unit: 3
        profile: sluice-gate-rtu
        leaves: 2
        control: { stall_s: 5, limits: { max_step_m: 0.4, highest_opening_m: 2 } }
      - { structure: yc-zh-05, unit: 9, profile: ulm-53l }
`
let profiles: ReadonlyMap<string, DeviceProfile>
let own: EdgeSettings
beforeAll(async () => {
  profiles = await loadProfiles('edge-agent/profiles')
  own = parseConfig(EdgeSettings, { file: 'site.yaml', text: OWN })
})
const check = (text: string) => checkOffer(own, { file: 'new.yaml', text, profiles })
const edited = (from: string | RegExp, to: string) => check(centerPartOf(OWN).replace(from, to))

test('what the center sees has the comments of its settings, and nothing that is the site’s own', () => {
  const part = centerPartOf(OWN)
  expect(part).not.toMatch(/secret|hunter2|center\.example|command_keys|sluice\/outbox|yc-s012/)
  expect(part).toContain('# as the wave noise wants it')
  expect(part).toContain('keepalive_s: 240')
})

test('what the center sees, sent back as it is, gives the site’s own settings', () => {
  expect(check(centerPartOf(OWN))).toMatchObject({ kind: 'accepted', settings: own })
})

test('a file with an anchor can be told too', () => {
  const text = OWN.replace('unit: 3', 'unit: &u 3').replace('unit: 9', 'unit: *u')
  expect(parse(centerPartOf(text))).toMatchObject({ buses: [{ devices: [{ unit: 3 }, { unit: 3 }] }] })
})

test.each([
  ['an interval that is none', [/interval_ms: 5000/, 'interval_ms: 5'], 'new.yaml:5:3: poll.interval_ms: '],
  ['a profile that is not there', [/ulm-53l/, 'ulm-54'], 'there is no profile ulm-54'],
  ['a credential', [/keepalive_s/, 'password: x\n  keepalive_s'], 'new.yaml:2:3: broker.password: belongs to the site’s own file'],
  ['the unit of a gate that can be moved', [/unit: 3/, 'unit: 4'], 'yc-zh-03 can be moved'],
  ['its bus', [/10\.0\.0\.5/, '10.0.0.6'], 'its bus and address'],
  ['how it is moved', [/stall_s: 5/, 'stall_s: 50'], 'its limits may be tightened'],
  ['a wider limit', [/max_step_m: 0.4/, 'max_step_m: 0.5'], 'control.limits.max_step_m: is wider'],
  [
    'another gate that could be moved',
    [/yc-zh-05, unit: 9, profile: ulm-53l.*\}/, 'yc-zh-04, unit: 9, profile: sluice-gate-rtu }'],
    'is not in the site’s own file',
  ],
] as const)('%s is refused, with its place', (_, [from, to], said) => {
  const result = edited(from, to)
  expect(result).toMatchObject({ kind: 'refused' })
  expect(result.kind === 'refused' && result.errors.join('\n')).toContain(said)
})

test('a tighter limit holds, and a limit that the center leaves out stays the site’s', () => {
  const result = edited(/limits: \{[^}]*\}/, 'limits: { max_step_m: 0.2 }')
  if (result.kind === 'refused') throw new Error(result.errors.join('\n'))
  expect(result.settings.buses[0]?.devices[0]?.control).toMatchObject({ stall_s: 5, limits: { max_step_m: 0.2, highest_opening_m: 2 } })
})
