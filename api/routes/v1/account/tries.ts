import type { RouteContext } from '../../context.ts'

const MINUTE_MS = 60_000

/** Rate limit of what takes a password or a code, for each address. */
export const triesPerMinute = ({ settings }: Pick<RouteContext, 'settings'>) => ({
  max: settings.sign_in.tries_per_minute,
  timeWindow: MINUTE_MS,
})
