import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Logger } from 'pino'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'
import type { SiteHealth } from '#contract/health.ts'
import type { UnixMs } from '#contract/units.ts'
import type { EdgeStats } from '../main.ts'
import type { BusFigures, DeviceFigures } from './figures.ts'

/** What a running agent says of itself to whoever may enter its outbox folder: JSON over a socket in that folder. */

export type AgentStatus = {
  readonly site: string
  readonly area: string
  readonly pid: number
  readonly version: string
  readonly t: UnixMs
  readonly interval_ms: number
  readonly stats: EdgeStats
  readonly health: SiteHealth
  readonly buses: readonly BusFigures[]
  readonly devices: readonly DeviceFigures[]
}

const FILE = 'status.sock'
/** A socket's name has 108 bytes at most on Linux (unix(7)), the last one 0. */
const LONGEST_PATH = 107
const LONGEST_WAIT_MS = 5000

const socketOf = (outbox: string): string => join(outbox, FILE)

/** The outbox belongs to this agent alone, so a socket that is there is a dead one's. */
export async function serveStatus(outbox: string, statusNow: () => AgentStatus, log: Logger): Promise<{ close(): Promise<void> }> {
  const path = socketOf(outbox)
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    log.warn({ path }, 'the name of the outbox folder is too long for a status socket: sluice edge status can not ask this agent')
    return { close: async () => undefined }
  }
  rmSync(path, { force: true })
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.on('error', (error) => log.debug({ error: error.message }, 'status socket'))
    socket.end(JSON.stringify(statusNow()))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** @returns undefined where no agent runs on this outbox. @throws Fault NOT_ALLOWED */
export async function askStatus(outbox: string): Promise<AgentStatus | undefined> {
  const path = socketOf(outbox)
  const socket = connect(path)
  socket.setTimeout(LONGEST_WAIT_MS, () => socket.destroy(new Error('the agent does not answer')))
  try {
    return JSON.parse(await text(socket)) as AgentStatus
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
    if (code === 'EACCES')
      throw new Fault('NOT_ALLOWED', `${path} may not be opened by this user`, 'ask as the user that the agent runs as, or as root', {
        cause: error,
      })
    throw new Fault('DATA_IN_USE', `the agent on ${outbox} gave no status: ${messageOf(error)}`, 'look at its log', { cause: error })
  }
}
