import { expect, test } from 'vitest'
import { noHealth, type SiteState } from '#contract/health.ts'
import { siteTopic } from '#contract/topics.ts'
import { LastSites } from './site-states.ts'

const state: SiteState = {
  site: 'yc-s012',
  area: 'yichang',
  online: true,
  since: 1,
  heard_at: 2,
  receive_skew_ms: 40,
  health_at: 2,
  health: { ...noHealth(), outbox_bytes: 4096, errors: { timeout: 3 } },
}
const topic = siteTopic('yichang', 'yc-s012')
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

test('a site’s state is the newest that ingest has told, until the broker is told to forget it', () => {
  const sites = new LastSites()
  expect(sites.take(topic, bytes(state))).toBe(true)
  expect(sites.take(topic, bytes({ ...state, online: false, since: 9 }))).toBe(true)
  expect(sites.get('yc-s012')).toEqual({ ...state, online: false, since: 9 })
  expect(sites.take(topic, Buffer.alloc(0))).toBe(true)
  expect(sites.get('yc-s012')).toBeUndefined()
})

test('what is no state, or tells of another site than its topic, is refused', () => {
  const sites = new LastSites()
  for (const body of [Buffer.from('{'), bytes({}), bytes({ ...state, more: 1 }), bytes({ ...state, site: 'other' })])
    expect(sites.take(topic, body)).toBe(false)
  expect(sites.get('yc-s012')).toBeUndefined()
})
