import { join } from 'node:path'
import { build } from 'esbuild'
import { build as buildPage } from 'vite'
import { root } from './prepare.mjs'

await build({
  entryPoints: [join(root, 'bin', 'sluice.ts')],
  outfile: join(root, 'dist', 'sluice.js'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'linked',
  logLevel: 'warning',
})
await buildPage({ root: join(root, 'dashboard'), configFile: join(root, 'dashboard', 'vite.config.ts'), logLevel: 'warn' })
