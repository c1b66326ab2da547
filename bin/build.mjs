import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { build as buildPage } from 'vite'
import { BUNDLING } from './bundling.mjs'
import { root } from './prepare.mjs'

// Whoever builds, what runs is the product: under a test runner Vue would be bundled with its development checks.
process.env.NODE_ENV = 'production'
rmSync(join(root, 'dist'), { recursive: true, force: true })
await build({
  ...BUNDLING,
  entryPoints: [join(root, 'bin', 'sluice.ts')],
  outdir: join(root, 'dist'),
  // Each command's code is a chunk of its own, beside the entry: folders.ts reckons from there.
  splitting: true,
  chunkNames: 'sluice-[hash]',
  // They are read at each start, for what a stack says; the sources themselves are not asked for.
  sourcemap: 'linked',
  sourcesContent: false,
})
await buildPage({ root: join(root, 'dashboard'), configFile: join(root, 'dashboard', 'vite.config.ts'), logLevel: 'warn' })
