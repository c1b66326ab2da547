import { type Static, Type } from 'typebox'

export const PageSettings = Type.Object(
  {
    host: Type.String({ minLength: 1, default: '127.0.0.1', description: 'Address of this machine that the page is served at' }),
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8090, description: 'TCP port of the page' }),
    password_hash: Type.Optional(
      Type.String({
        pattern: '^\\$argon2id\\$',
        env: 'SLUICE_PAGE_PASSWORD_HASH',
        description: 'Of the password, as `sluice edge password` makes it; needed unless host is a loopback address',
      }),
    ),
  },
  { additionalProperties: false, description: 'The page for a phone in the gatehouse; none is served where it is left out' },
)
export type PageSettings = Static<typeof PageSettings>

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/
export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

/** @returns each mistake in words. */
export function mistakesInPage(page: PageSettings | undefined): string[] {
  if (!page || page.password_hash !== undefined || isLoopback(page.host)) return []
  return [`page.host ${page.host} can be reached from other machines, and page.password_hash is not given: sluice edge password makes one`]
}
