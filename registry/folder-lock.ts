import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { createServer, connect, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemCode } from '#contract/fault.ts'

export type FolderLock = { release(): Promise<void> }

const TRIES = 5

/**
 * Makes `folder` ours among the processes of this machine (containers that share it included) until we release it or die.
 *
 * Node has no flock, and a file with a pid lies after kill -9 or when the pid is used again. So each process listens on a socket of its
 * own in the folder, under a name that is never used twice, and only then looks for others: one that answers is alive, one that refuses is
 * dead and its file may go. Of two that start together at least one sees the other, so never do both get it.
 * @returns null when another process has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock | null> {
  mkdirSync(folder, { recursive: true })
  for (let attempt = 1; ; attempt++) {
    const name = `${process.pid}-${randomBytes(6).toString('hex')}`
    const server = await listen(folder, name)
    if (!(await othersAlive(folder, `${name}.sock`))) return { release: () => close(server, join(folder, `${name}.sock`)) }
    await close(server, join(folder, `${name}.sock`))
    if (attempt === TRIES) return null
    // Both may have backed off before each other: try again at another moment.
    await sleep(20 + Math.random() * 80)
  }
}

/** Listens under a name that nobody looks at, then renames it: a socket that can be seen answers, if its process lives. */
async function listen(folder: string, name: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  const hidden = join(folder, `${name}.new`)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath(hidden), resolve)
  })
  server.unref()
  renameSync(hidden, join(folder, `${name}.sock`))
  return server
}

async function othersAlive(folder: string, own: string): Promise<boolean> {
  for (const file of readdirSync(folder).filter((f) => f.endsWith('.sock') && f !== own)) {
    const path = join(folder, file)
    if (await answers(path)) return true
    rmSync(path, { force: true })
  }
  return false
}

async function answers(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(socketPath(path))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // Only a refusal proves that nobody listens any more; whatever else goes wrong, somebody may.
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(systemCode(error) ?? '')))
  })
}

async function close(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true })
  await new Promise((resolve) => server.close(resolve))
}
