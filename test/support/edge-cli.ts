/** `sluice edge …` as a person gives it: a bundle beside the real one, run as a child process. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { BUNDLING } from '../../bin/bundling.mjs'
import { root } from './program.ts'

export type Said = { readonly code: number | null; readonly out: string; readonly err: string }
export type EdgeCli = {
  run(args: readonly string[], options?: { readonly columns?: number; readonly cwd?: string }): Promise<Said>
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
