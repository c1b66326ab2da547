import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, systemCode } from '#contract/fault.ts'

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
  const sockets = openSocketFolder(folder)
  try {
    for (let attempt = 1; ; attempt++) {
      const own = await listen(sockets)
      if (!(await othersAlive(sockets, own.name))) return { release: () => release(sockets, own) }
      await silence(sockets, own)
      if (attempt === TRIES) break
      // Both may have backed off before each other: try again at another moment.
      await sleep(20 + Math.random() * 80)
    }
  } catch (error) {
    sockets.close()
    throw error
  }
  sockets.close()
  return null
}

type SocketFolder = { readonly folder: string; address(name: string): string; close(): void }
type OwnSocket = { readonly name: string; readonly server: Server }

/** A socket's address has room for some hundred bytes and libuv cuts a longer one without a word: on Linux go by the folder's handle. */
function openSocketFolder(folder: string): SocketFolder {
  if (process.platform === 'linux') {
    const handle = openSync(folder, 'r')
    return { folder, address: (name) => `/proc/self/fd/${handle}/${name}`, close: () => closeSync(handle) }
  }
  const address = (name: string): string => join(folder, name)
  if (Buffer.byteLength(address('x'.repeat(30))) > 100)
    throw new Fault('CONFIG_INVALID', `the path ${folder} is too long`, 'choose a shorter one')
  return { folder, address, close: () => undefined }
}

/** Listens under a name that nobody looks at, then renames it: a socket that can be seen answers, if its process lives. */
async function listen(sockets: SocketFolder): Promise<OwnSocket> {
  const id = `${process.pid}-${randomBytes(6).toString('hex')}`
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(sockets.address(`${id}.new`), resolve)
  })
  server.unref()
  const name = `${id}.sock`
  renameSync(join(sockets.folder, `${id}.new`), join(sockets.folder, name))
  return { name, server }
}

async function othersAlive(sockets: SocketFolder, own: string): Promise<boolean> {
  for (const name of readdirSync(sockets.folder).filter((f) => f.endsWith('.sock') && f !== own)) {
    if (await answers(sockets.address(name))) return true
    rmSync(join(sockets.folder, name), { force: true })
  }
  return false
}

async function answers(address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // Only a refusal proves that nobody listens any more; whatever else goes wrong, somebody may.
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(systemCode(error) ?? '')))
  })
}

async function silence(sockets: SocketFolder, { name, server }: OwnSocket): Promise<void> {
  rmSync(join(sockets.folder, name), { force: true })
  await new Promise((resolve) => server.close(resolve))
}

async function release(sockets: SocketFolder, own: OwnSocket): Promise<void> {
  await silence(sockets, own)
  sockets.close()
}
