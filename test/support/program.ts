/** The built program as child processes, killed and restarted by pid. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GivenUp, until } from './servers.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const bundle = join(root, 'dist', 'sluice.js')

export type Program = {
  readonly name: string
  pid(): number
  /** Everything that it wrote to standard error since its last start (newest 200 kB). */
  log(): string
  output(): string
  /** When the last start was ready, ms since 1970. */
  readyAt(): number
  start(): Promise<void>
  kill(): Promise<void>
  /** SIGTERM, as Ctrl-C and systemd do. @returns its exit code. */
  stop(): Promise<number | null>
}

/** Starts `sluice …`, or `program` instead, and resolves when `ready` stands in its output. */
export async function startProgram(
  name: string,
  args: readonly string[],
  options: { ready: string | RegExp; program?: string; env?: Record<string, string>; cwd?: string; timeoutMs?: number },
): Promise<Program> {
  if (!existsSync(bundle)) throw new Error('dist/sluice.js is not there: npm run build')
  let child: ChildProcess | undefined
  let log = ''
  let output = ''
  let readyAt = 0
  const start = async (): Promise<void> => {
    log = ''
    output = ''
    readyAt = 0
    const [command, ...before] = options.program ? [options.program] : [process.execPath, '--enable-source-maps', bundle]
    const started = spawn(command, [...before, ...args], {
      cwd: options.cwd ?? root,
      env: { ...process.env, SLUICE_LOG_LEVEL: 'info', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = started
    const seen = (): boolean =>
      typeof options.ready === 'string' ? (log + output).includes(options.ready) : options.ready.test(log + output)
    started.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-200_000)
      if (readyAt === 0 && seen()) readyAt = Date.now()
    })
    started.stdout?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-200_000)
      if (readyAt === 0 && seen()) readyAt = Date.now()
    })
    await until(async () => {
      if (readyAt > 0) return
      if (started.exitCode !== null || started.signalCode !== null) {
        // Not another try: it has ended, and its last words say why.
        throw new GivenUp(`${name} ended with ${started.exitCode ?? started.signalCode}:\n${log}${output}`)
      }
      throw new Error(`${name} is not ready:\n${log.slice(-4000)}`)
    }, options.timeoutMs ?? 60_000)
  }
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const running = child
    if (!running || running.exitCode !== null || running.signalCode !== null) return running?.exitCode ?? null
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill(signal)
    await ended
    return running.exitCode
  }
  await start()
  return {
    name,
    pid: () => child?.pid ?? -1,
    log: () => log,
    output: () => output,
    readyAt: () => readyAt,
    start,
    kill: async () => {
      await end('SIGKILL')
    },
    stop: () => end('SIGTERM'),
  }
}

/** Resident memory of a process in MB. */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024
}

/** /proc counts processor time in ticks of 10 ms. */
const TICK_S = 0.01

/** Processor time of a process since its start, in s. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_S
}
