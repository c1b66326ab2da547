import { expect, test } from 'vitest'
import { mistakesInPage } from './settings.ts'

const page = (host: string, password_hash?: string) => ({ host, port: 8090, ...(password_hash === undefined ? {} : { password_hash }) })

test('a page that other machines can reach needs a password; one on loopback may do without', () => {
  expect(mistakesInPage(undefined)).toEqual([])
  expect(mistakesInPage(page('127.0.0.1'))).toEqual([])
  expect(mistakesInPage(page('::1'))).toEqual([])
  expect(mistakesInPage(page('192.168.1.2', '$argon2id$v=19$x'))).toEqual([])
  for (const host of ['192.168.1.2', '0.0.0.0', '::', '127.0.0.1.example.org']) expect(mistakesInPage(page(host))).toHaveLength(1)
})
