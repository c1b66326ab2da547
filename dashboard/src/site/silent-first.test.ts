import { expect, test } from 'vitest'
import { noHealth } from '#contract/health.ts'
import type { SiteView } from '#contract/http/site.ts'
import { silentFirst } from './silent-first.ts'

const site = (id: string, heard: number | null, online = true): SiteView => ({
  ...{ id, name: { zh: id, en: id }, area: 'yichang', station: '所', report_interval_ms: 5000 },
  state:
    heard === null
      ? null
      : { site: id, area: 'yichang', online, since: 0, heard_at: heard, receive_skew_ms: null, health_at: null, health: noHealth() },
})

test('a site that was never heard stands before the lost ones, and these before those in contact, the longest silent first', () => {
  const sites = [site('fresh', 9000), site('lost', 8000, false), site('quiet', 1000), site('never', null), site('long-lost', 500, false)]
  expect(silentFirst(sites).map((s) => s.id)).toEqual(['never', 'long-lost', 'lost', 'quiet', 'fresh'])
})
