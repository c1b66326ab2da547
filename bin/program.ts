import type { Command } from 'commander'
import { explain } from './fail.ts'

/** Aborted by Ctrl-C and by systemd; the second time ends the process at once. */
export const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(130)
    stop.abort()
  })
}
// Whoever reads a command's result may have seen enough: `sluice … | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

export async function runProgram(program: Command): Promise<never> {
  try {
    await program.parseAsync()
  } catch (error) {
    if (!(stop.signal.aborted && error instanceof Error && error.name === 'AbortError')) {
      process.stderr.write(`${explain(error)}\n`)
      process.exitCode = 1
    }
  }
  // What a library has left open must not keep an ended command alive.
  process.exit()
}
