import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { DeviceProfile } from '#contract/profile.ts'
import { loadProfiles } from '../load-profiles.ts'
import { checkConfig } from './check.ts'

const profiles = await loadProfiles(join(import.meta.dirname, '..', 'profiles'))
const check = (text: string, more: ReadonlyMap<string, DeviceProfile> = new Map()) =>
  checkConfig({ file: 'site.yaml', text, profiles: new Map([...profiles, ...more]) })
const warnings = (text: string, more?: ReadonlyMap<string, DeviceProfile>): readonly string[] => {
  const result = check(text, more)
  if (result.kind === 'refused') throw new Error(result.errors.join('\n'))
  return result.warnings
}

const SITE = `site: yc-s012
area: yichang
broker: { url: 'mqtt://10.0.0.2' }
outbox: { path: /var/lib/sluice/yc-s012 }
buses:
  - name: gatehouse
    host: 192.168.1.10
    devices:
      - { structure: yc-zh-03, unit: 1, profile: sluice-gate-rtu }
`

test('a file as the guide shows it has nothing to say against it', () => {
  expect(check(SITE)).toMatchObject({ kind: 'accepted', warnings: [] })
})

test('a mistake is named with line and column, as is a profile that is not there', () => {
  expect(check(SITE.replace('unit: 1', 'unit: 300'))).toMatchObject({
    kind: 'refused',
    errors: [expect.stringMatching(/^site\.yaml:9:32: .*unit/)],
  })
  expect(check(SITE.replace('sluice-gate-rtu', 'radar'))).toMatchObject({
    kind: 'refused',
    errors: [expect.stringMatching(/^site\.yaml:9:41: .*there is no profile radar; there are .*sluice-gate-rtu/)],
  })
})

test('a structure whose level comes from two devices is named where the second stands', () => {
  const again = `${SITE}      - { structure: yc-zh-03, unit: 2, profile: sluice-gate-rtu }\n`
  expect(check(again)).toMatchObject({
    kind: 'refused',
    errors: [expect.stringMatching(/^site\.yaml:10:41: .*another device gives the same: yc-zh-03: level_up, /)],
  })
})

test('two structures behind one unit, a relative outbox and a broker in the clear on the internet are suspicious', () => {
  const found = warnings(
    `${SITE}      - { structure: yc-zh-04, unit: 1, profile: sluice-gate-rtu }\n`
      .replace('10.0.0.2', 'mqtt.example.org')
      .replace('/var/lib', 'var/lib'),
  )
  expect(found.map((w) => w.split(' ')[0])).toEqual(['site.yaml:10:32:', 'site.yaml:3:11:', 'site.yaml:4:11:'])
  expect(found[0]).toContain('unit 1 is also that of yc-zh-03')
})

test('an interval that a 1200 baud bus can not keep is suspicious, with the time that it needs', () => {
  const slow = SITE.replace('host: 192.168.1.10', 'transport: serial\n    path: /dev/serial/by-id/usb-1\n    baud_rate: 1200').concat(
    'poll: { interval_ms: 200 }\n',
  )
  expect(warnings(slow)).toEqual([
    expect.stringMatching(/poll\.interval_ms: bus gatehouse needs about \d{3} ms for one cycle, and is to be read every 200 ms/),
  ])
})

test('registers that overlap and a level in whole metres are suspicious', () => {
  const radar = {
    name: 'radar',
    title: 'Radar',
    source: 'test',
    max_words: 125,
    max_gap: 0,
    borders: [],
    address_base: 0,
    points: [
      { metric: 'level_up', space: 'holding', address: 0, type: 'float32', order: 'ABCD', scale: 1, offset: 0 },
      { metric: 'level_down', space: 'holding', address: 1, type: 'uint16', order: 'ABCD', scale: 1, offset: 0 },
    ],
  } as unknown as DeviceProfile
  expect(warnings(SITE.replace('sluice-gate-rtu', 'radar'), new Map([['radar', radar]]))).toEqual([
    expect.stringContaining('level_up and level_down overlap (registers 0 to 1 and 1)'),
    expect.stringContaining('level_down: one step of its uint16 is 1 m; is the scale 0.001 or 0.01?'),
  ])
})
