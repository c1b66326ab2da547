import pino, { type Logger } from 'pino'

// No agent runs on a terminal, and it costs memory.
const pretty = process.stderr.isTTY ? (await import('pino-pretty')).default : undefined

/** Lines for a person on a terminal, JSON for everything else; both to standard error, so that standard output stays a command's result. */
export function openLog(level: string): Logger {
  const redact = { paths: ['password', '*.password', 'url', '*.url'], censor: hideCredentials }
  if (pretty) return pino({ level, redact }, pretty({ destination: 2, sync: true, ignore: 'pid,hostname' }))
  return pino({ level, redact }, pino.destination({ fd: 2, sync: true }))
}

/** Keeps what helps (scheme, host, path) and hides user and password of a URL; hides other secrets whole. */
export function hideCredentials(value: unknown): string {
  const text = String(value)
  return /^[a-z0-9+]+:/i.test(text) ? text.replace(/\/\/[^/@]*@/, '//***@') : '***'
}
