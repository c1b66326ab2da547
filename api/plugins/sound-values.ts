import { Fault } from '#contract/fault.ts'
import type { App } from '../app.ts'

const NUL = '\u0000'
/** No body of ours comes near it. */
const MOST_DEPTH = 32

/** Refuses what a schema lets pass and no part behind it can take. */
export function registerSoundValues(app: App): void {
  app.addHook('preValidation', async ({ body }) => {
    const wrong = unsound(body)
    if (wrong) throw wrong
  })
  // A text such as 1e999 has become Infinity where a number is wanted, and a schema's limits let that pass.
  app.addHook('preHandler', async ({ query, params, body }) => {
    const wrong = unsound(query) ?? unsound(params) ?? unsound(body)
    if (wrong) throw wrong
  })
}

function unsound(value: unknown, depth = 0): Fault | undefined {
  // PostgreSQL's text holds no NUL.
  if (typeof value === 'string') return value.includes(NUL) ? bad('a text holds a NUL character', 'leave it out') : undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : bad('a number is too large', 'send a finite one')
  if (typeof value !== 'object' || value === null) return undefined
  if (depth === MOST_DEPTH) return bad('the body is nested too deep', 'correct the request; /api/docs describes it')
  for (const [key, member] of Object.entries(value)) {
    const wrong = unsound(key) ?? unsound(member, depth + 1)
    if (wrong) return wrong
  }
  return undefined
}

const bad = (message: string, next: string): Fault => new Fault('BAD_REQUEST', message, next)
