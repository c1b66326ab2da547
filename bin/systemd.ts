import { execFile } from 'node:child_process'
import type { Logger } from 'pino'

/**
 * sd_notify(3) by the program that systemd brings for it: Node has no datagram sockets of the local kind. Where systemd did not start this
 * process nothing happens.
 */
export type Systemd = {
  ready(): void
  close(): Promise<void>
}

/** @param isAlive asked before each sign of life; without one for WatchdogSec systemd starts the process anew. */
export function openSystemd(env: Readonly<Record<string, string | undefined>>, isAlive: () => boolean, log: Logger): Systemd {
  if (!env['NOTIFY_SOCKET']) return { ready: () => undefined, close: async () => undefined }
  let told = Promise.resolve()
  const tell = (...states: readonly string[]): void => {
    told = told.then(
      () =>
        new Promise((resolve) => {
          execFile('systemd-notify', [...states], { timeout: 10_000 }, (error) => {
            if (error) log.error({ error: error.message }, 'systemd could not be told')
            resolve()
          })
        }),
    )
  }
  const watchdog_ms = Number(env['WATCHDOG_USEC'] ?? 0) / 1000
  const timer =
    watchdog_ms > 0
      ? setInterval(() => {
          if (isAlive()) tell('WATCHDOG=1')
          else log.error('a bus is read no more: systemd is not told that all is well')
        }, watchdog_ms / 3)
      : undefined
  return {
    ready: () => tell('--ready'),
    close: async () => {
      clearInterval(timer)
      tell('STOPPING=1')
      await told
    },
  }
}
