import { Fault } from '#contract/fault.ts'
import type { App } from '../app.ts'

const NUL = '\u0000'

/** PostgreSQL's text holds no NUL: said here as the sender's mistake, not as a failure of the database. */
export function registerNulGuard(app: App): void {
  app.addHook('preValidation', async ({ body }) => {
    if (holdsNul(body)) throw new Fault('BAD_REQUEST', 'the body holds a NUL character', 'leave it out')
  })
}

function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(NUL)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, member]) => key.includes(NUL) || holdsNul(member))
}
