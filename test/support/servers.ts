/** Real servers from Debian's packages on free loopback ports, with their data in a temporary folder. Whoever starts one stops it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect as tcpConnect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type RealServer = {
  readonly port: number
  readonly url: string
  /** Where its data are. */
  readonly folder: string
  readonly pid: () => number
  /** Ends the process at once, as a power cut would. Data stay. */
  kill(): Promise<void>
  /** Starts it again on the same port with the same data. Resolves when it answers. */
  start(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** @returns the first of `count` free ports in a row, below those that the system gives to outgoing connections. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * (12_000 - count))
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)))
    if (free.every((f) => f)) return first
  }
}

/** It stays free while the server that has it is stopped and started again. */
export const freePort = (): Promise<number> => freePorts(1)

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

export function tempFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `sluice-${name}-`))
}

/** What no further try will mend: `until` throws it at once. */
export class GivenUp extends Error {}

/** Waits until `probe` resolves. @throws what the last try threw, after `timeoutMs`, and a GivenUp at once. */
export async function until(probe: () => Promise<unknown>, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    try {
      await probe()
      return
    } catch (error) {
      if (error instanceof GivenUp || Date.now() > deadline) throw error
      await sleep(50)
    }
  }
}

type Recipe = {
  name: string
  port: number
  url: string
  folder: string
  command: string
  args: string[]
  /** Runs as this user where we are root: PostgreSQL refuses root. */
  uid?: number
  gid?: number
  answers: () => Promise<unknown>
}

async function startServer(recipe: Recipe): Promise<RealServer> {
  let child: ChildProcess | undefined
  let output = ''
  const start = async (): Promise<void> => {
    output = ''
    const started = spawn(recipe.command, recipe.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: recipe.folder,
      ...(recipe.uid === undefined ? {} : { uid: recipe.uid }),
      ...(recipe.gid === undefined ? {} : { gid: recipe.gid }),
    })
    child = started
    let failed: Error | undefined
    started.on('error', (error) => {
      failed = new Error(`${recipe.command} can't be started (npm test installs it, or: apt-get install ${recipe.name})`, { cause: error })
    })
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-8000)
      })
    }
    await until(async () => {
      if (failed) throw new GivenUp(failed.message, { cause: failed })
      if (started.exitCode !== null) throw new GivenUp(`${recipe.name} ended with ${started.exitCode}:\n${output}`)
      await recipe.answers()
    })
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill(signal)
    await ended
  }
  await start()
  return {
    port: recipe.port,
    url: recipe.url,
    folder: recipe.folder,
    pid: () => child?.pid ?? -1,
    kill: () => end('SIGKILL'),
    start,
    stop: async () => {
      await end('SIGKILL')
      rmSync(recipe.folder, { recursive: true, force: true })
    },
  }
}

/** @throws when nobody listens there. */
export async function accepts(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = tcpConnect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
  })
}

/** Mosquitto, anonymous, on loopback. `extra` is appended to its configuration. */
export async function startMosquitto(options: { extra?: string } = {}): Promise<RealServer> {
  const port = await freePort()
  const folder = tempFolder('mosquitto')
  const config = join(folder, 'mosquitto.conf')
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n${options.extra ?? ''}\n`)
  return await startServer({
    name: 'mosquitto',
    port,
    url: `mqtt://127.0.0.1:${port}`,
    folder,
    command: '/usr/sbin/mosquitto',
    args: ['-c', config],
    answers: () => accepts(port),
  })
}

/** Mosquitto by a configuration of the test's own, which says that it listens on `port`. */
export const startMosquittoBy = (config: string, port: number): Promise<RealServer> =>
  startServer({
    name: 'mosquitto',
    port,
    url: `mqtts://localhost:${port}`,
    folder: tempFolder('mosquitto'),
    command: '/usr/sbin/mosquitto',
    args: ['-c', config],
    answers: () => accepts(port),
  })

/** InfluxDB 1.x with its default WAL (synced before a write is answered); database `sluice` is there. Its data are in `disk` where one is given. */
export async function startInflux1({ disk }: { disk?: string } = {}): Promise<RealServer> {
  const [port, rpcPort] = [await freePort(), await freePort()]
  const folder = tempFolder('influx1')
  const config = join(folder, 'influxdb.conf')
  writeFileSync(
    config,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpcPort}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${disk ?? folder}/data"
  wal-dir = "${disk ?? folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "error"
`,
  )
  const base = `http://127.0.0.1:${port}`
  const server = await startServer({
    name: 'influxdb',
    port,
    url: `influx1://127.0.0.1:${port}/sluice`,
    folder,
    command: '/usr/bin/influxd',
    args: ['run', '-config', config],
    answers: async () => {
      const reply = await fetch(`${base}/ping`)
      if (reply.status !== 204) throw new Error(`ping: ${reply.status}`)
    },
  })
  // InfluxDB answers before it has done the work; the body comes after it.
  await (await fetch(`${base}/query?q=${encodeURIComponent('CREATE DATABASE sluice')}`, { method: 'POST' })).text()
  return server
}

function postgresBin(name: string): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  const found = versions.map((v) => join(root, v, 'bin', name)).find((path) => existsSync(path))
  if (!found) throw new Error('PostgreSQL is not installed: apt-get install postgresql')
  return found
}

/** PostgreSQL with fsync on; role and database `sluice`, trusted from loopback. */
export async function startPostgres(): Promise<RealServer> {
  const port = await freePort()
  const folder = tempFolder('postgres')
  const asRoot = process.getuid?.() === 0
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  const user = asRoot ? { uid: id('-u'), gid: id('-g') } : {}
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  execFileSync(postgresBin('initdb'), ['-D', data, '-U', 'sluice', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'], {
    ...user,
    cwd: folder,
    stdio: 'pipe',
  })
  const sockets = join(folder, 'sockets')
  mkdirSync(sockets)
  if (user.uid !== undefined) chownSync(sockets, user.uid, user.gid)
  const psql = (database: string, sql: string): void => {
    execFileSync(postgresBin('psql'), ['-h', '127.0.0.1', '-p', String(port), '-U', 'sluice', '-d', database, '-c', sql], { stdio: 'pipe' })
  }
  const server = await startServer({
    name: 'postgresql',
    port,
    url: `postgres://sluice@127.0.0.1:${port}/sluice`,
    folder,
    command: postgresBin('postgres'),
    args: ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', sockets],
    ...user,
    answers: async () => psql('postgres', 'select 1'),
  })
  psql('postgres', 'create database sluice')
  return server
}
