/** Modbus counterparts for tests: addresses, a serial line made of two ptys, a real foreign master. */
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BusAddress } from '#edge-agent/modbus/bus.ts'
import { GivenUp, tempFolder, until } from './servers.ts'

export const tcpBus = (port: number, timeout_ms = 2000): BusAddress => ({
  name: 'tcp',
  transport: 'tcp',
  host: '127.0.0.1',
  port,
  timeout_ms,
  pause_ms: 0,
})

export type SerialPair = { readonly ours: string; readonly theirs: string; close(): Promise<void> }

/** Two serial ports that are wired to one another, by socat. */
export async function serialPair(folder = tempFolder('pty')): Promise<SerialPair> {
  mkdirSync(folder, { recursive: true })
  const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')]
  const socat = spawn('socat', [`pty,raw,echo=0,link=${ours}`, `pty,raw,echo=0,link=${theirs}`], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  socat.stderr.on('data', (text: Buffer) => {
    said += text.toString()
  })
  let failed: Error | undefined
  socat.on('error', (error) => {
    failed = error
  })
  await until(async () => {
    if (failed) throw new GivenUp('socat can not be started (npm test installs it)', { cause: failed })
    if (socat.exitCode !== null) throw new GivenUp(`socat ended: ${said}`)
    if (!existsSync(ours) || !existsSync(theirs)) throw new Error('socat has not made the ports')
  })
  return {
    ours,
    theirs,
    close: async () => {
      // It ends by itself when a side is closed, and may have done so already.
      if (socat.exitCode === null && socat.signalCode === null) {
        const ended = new Promise((resolve) => socat.once('exit', resolve))
        socat.kill()
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Reads once with mbpoll. @returns what it prints for each address, as text. */
export async function mbpoll(args: readonly string[]): Promise<ReadonlyMap<number, string>> {
  const { stdout } = await promisify(execFile)('mbpoll', [...args, '-0', '-1', '-q'])
  return new Map([...stdout.matchAll(/^\[(\d+)\]:\s+(.*)$/gm)].map((m) => [Number(m[1]), (m[2] ?? '').trim()]))
}
