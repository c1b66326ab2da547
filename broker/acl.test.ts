import { expect, test } from 'vitest'
import { covers, isAllowed, type Principal } from './acl.ts'

const site: Principal = { kind: 'site', area: 'yongji', site: 'yj-s001' }

test('a site publishes as itself and as nobody else', () => {
  expect(isAllowed(site, 'publish', 'spBv1.0/yongji/NDATA/yj-s001')).toBe(true)
  expect(isAllowed(site, 'publish', 'spBv1.0/yongji/DDATA/yj-s001/yj-yj-01')).toBe(true)
  for (const topic of [
    'spBv1.0/yongji/NDATA/yj-s002',
    'spBv1.0/yichang/NDATA/yj-s001',
    'spBv1.0/yongji/DCMD/yj-s001/yj-yj-01',
    'spBv1.0/yongji/NCMD/yj-s002',
    'sluice/v1/live/yongji/yj-yj-01',
    'spBv1.0/STATE/sluice',
    'spBv1.0/yongji/DDATA/yj-s001/a/b',
  ])
    expect(isAllowed(site, 'publish', topic), topic).toBe(false)
})

test('a site hears what is for it, and can not listen to others by a wildcard', () => {
  expect(isAllowed(site, 'subscribe', 'spBv1.0/yongji/DCMD/yj-s001/+')).toBe(true)
  for (const filter of ['#', 'spBv1.0/#', 'spBv1.0/yongji/DCMD/+/+', 'spBv1.0/yongji/DCMD/yj-s001/#', 'sluice/v1/#', '+/+/+/+']) {
    expect(isAllowed(site, 'subscribe', filter), filter).toBe(false)
  }
})

test('only the API sends commands to gates', () => {
  const topic = 'spBv1.0/yongji/DCMD/yj-s001/yj-yj-01'
  expect(isAllowed({ kind: 'api' }, 'publish', topic)).toBe(true)
  for (const p of [site, { kind: 'ingest' }, { kind: 'reader' }] as Principal[]) expect(isAllowed(p, 'publish', topic)).toBe(false)
})

test('a filter covers what it matches, whole and no more', () => {
  expect(covers('a/+/c', 'a/b/c')).toBe(true)
  expect(covers('a/+', 'a/+')).toBe(true)
  expect(covers('a/#', 'a')).toBe(true)
  expect(covers('a/b', 'a/+')).toBe(false)
  expect(covers('a/+', 'a/#')).toBe(false)
  expect(covers('a/+', 'a/b/c')).toBe(false)
})
