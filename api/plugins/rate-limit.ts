import fastifyRateLimit from '@fastify/rate-limit'
import { Fault } from '#contract/fault.ts'
import type { App } from '../app.ts'

/** Off unless a route names its limit: a control room is many people behind one address. Counts by address. */
export async function registerRateLimit(app: App): Promise<void> {
  await app.register(fastifyRateLimit, {
    global: false,
    errorResponseBuilder: (_request, { after }) => new Fault('LOCKED_OUT', 'too many requests from this address', `try again in ${after}`),
  })
}
