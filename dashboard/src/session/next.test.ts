import { expect, test } from 'vitest'
import { nextAfterSignIn } from './next.ts'

test('after signing in one is back where one was', () => {
  expect(nextAfterSignIn('/gates/yc-zh-03')).toBe('/gates/yc-zh-03')
  expect(nextAfterSignIn('/dead-letters')).toBe('/dead-letters')
})

test('a link can’t send who signs in to another site', () => {
  for (const next of ['https://elsewhere', '//elsewhere', '/\\elsewhere', 'javascript:alert(1)', '/sign-in?next=/', undefined, ['/a']]) {
    expect(nextAfterSignIn(next)).toBe('/')
  }
})
