import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './program.ts'

/** Vitest's global set-up of the system tests: they run what is deployed, so it must be what the sources say. */
export function setup(): void {
  execFileSync(process.execPath, ['-e', `import('${join(root, 'bin/prepare.mjs')}').then((m) => m.build())`], {
    cwd: root,
    stdio: 'inherit',
  })
}
