import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { BUNDLING } from '../../bin/bundling.mjs'
import { root } from './program.ts'

/** @returns a JavaScript file of `entry` and what it imports of ours: a process that is started many times must not compile each time. */
export function bundled(name: string, entry: string): string {
  // In the tree, so that packages are found from there.
  const outfile = join(root, 'test', 'output', `${name}-${process.pid}.mjs`)
  buildSync({
    ...BUNDLING,
    stdin: { contents: entry, resolveDir: root, loader: 'ts' },
    outfile,
  })
  return outfile
}
