/** `sluice edge …` as a person gives it: a bundle beside the real one, run as a child process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { build } from 'esbuild'
import { BUNDLING } from '../../bin/bundling.mjs'
import { root } from './program.ts'
import { until } from './servers.ts'

export type Said = { readonly code: number | null; readonly out: string; readonly err: string }
export type EdgeCli = {
  run(args: readonly string[], options?: { readonly columns?: number; readonly cwd?: string }): Promise<Said>
  /** On a terminal: types each answer when what is asked has appeared. `out` is what stood on the screen, without its colours. */
  talk(args: readonly string[], turns: readonly (readonly [asked: string, typed: string])[], cwd: string): Promise<Omit<Said, 'err'>>
  /** Until `end`: an agent. */
  start(args: readonly string[]): { readonly pid: number; end(): Promise<number | null> }
  remove(): void
}

export async function buildEdgeCli(): Promise<EdgeCli> {
  const file = join(root, 'dist', `edge-under-test-${process.pid}.js`)
  await build({
    ...BUNDLING,
    entryPoints: [join(root, 'bin', 'sluice-edge.ts')],
    outfile: file,
  })
  const open = (args: readonly string[], options: { columns?: number; cwd?: string } = {}) =>
    spawn(process.execPath, [file, 'edge', ...args], {
      cwd: options.cwd ?? root,
      env: { ...process.env, COLUMNS: String(options.columns ?? 100) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  return {
    run: (args, options) =>
      new Promise((resolve, reject) => {
        const child = open(args, options)
        const [out, err]: [Buffer[], Buffer[]] = [[], []]
        child.stdout.on('data', (b: Buffer) => out.push(b))
        child.stderr.on('data', (b: Buffer) => err.push(b))
        child.once('error', reject)
        child.once('close', (code) => resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }))
      }),
    talk: async (args, turns, cwd) => {
      const command = [process.execPath, file, 'edge', ...args].map((word) => `'${word}'`).join(' ')
      // util-linux: it gives the command a terminal of its own.
      const child = spawn('script', ['-qefc', `stty cols 100 rows 50; ${command}`, '/dev/null'], {
        cwd,
        env: { ...process.env, SHELL: '/bin/sh', TERM: 'xterm' },
      })
      const ended = once(child, 'close')
      let out = ''
      child.stdout.on('data', (b: Buffer) => {
        out += b.toString()
      })
      let read = 0
      try {
        for (const [asked, typed] of turns) {
          await until(async () => {
            const at = out.indexOf(asked, read)
            if (at < 0) throw new Error(`“${asked}” is not asked: ${out.slice(read)}`)
            read = at + asked.length
          }, 30_000)
          child.stdin.write(typed)
        }
        const [code] = (await ended) as [number | null]
        return { code, out: stripVTControlCharacters(out) }
      } finally {
        child.kill()
      }
    },
    start: (args) => {
      const child = open(args)
      child.stdout.resume()
      child.stderr.resume()
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
      return {
        pid: child.pid ?? -1,
        end: () => {
          child.kill('SIGTERM')
          return ended
        },
      }
    },
    remove: () => rmSync(file, { force: true }),
  }
}
