import { expect, test } from 'vitest'
import { isCrossSite } from './cross-site.ts'

const host = 'sluice.example:8080'

test('our own page and programs that are no browser are let through', () => {
  expect(isCrossSite({ fetchSite: 'same-origin', origin: 'http://sluice.example:8080', host })).toBe(false)
  expect(isCrossSite({ fetchSite: 'none', origin: undefined, host })).toBe(false)
  expect(isCrossSite({ fetchSite: undefined, origin: 'http://sluice.example:8080', host })).toBe(false)
  expect(isCrossSite({ fetchSite: undefined, origin: undefined, host })).toBe(false)
})

test('another site, a sibling of ours and an opaque origin are not', () => {
  expect(isCrossSite({ fetchSite: 'cross-site', origin: undefined, host })).toBe(true)
  expect(isCrossSite({ fetchSite: 'same-site', origin: 'http://sluice.example:8080', host })).toBe(true)
  expect(isCrossSite({ fetchSite: undefined, origin: 'http://evil.example', host })).toBe(true)
  expect(isCrossSite({ fetchSite: undefined, origin: 'http://sluice.example:9000', host })).toBe(true)
  expect(isCrossSite({ fetchSite: undefined, origin: 'null', host })).toBe(true)
})
