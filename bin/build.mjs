import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { build as buildPage } from 'vite'
import { root } from './prepare.mjs'

// Whoever builds, what runs is the product: under a test runner Vue would be bundled with its development checks.
process.env.NODE_ENV = 'production'
rmSync(join(root, 'dist'), { recursive: true, force: true })
// TypeBox is 680 files, a third of the time that a command takes to start. The others are found in node_modules.
const BUNDLED = ['typebox', '@fastify/type-provider-typebox']
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const external = Object.keys(dependencies).filter((name) => !BUNDLED.includes(name))
await build({
  entryPoints: [join(root, 'bin', 'sluice.ts')],
  outdir: join(root, 'dist'),
  bundle: true,
  // Each command's code is a chunk of its own, beside the entry: folders.ts reckons from there.
  splitting: true,
  chunkNames: 'sluice-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: external.flatMap((name) => [name, `${name}/*`]),
  sourcemap: 'linked',
  logLevel: 'warning',
})
await buildPage({ root: join(root, 'dashboard'), configFile: join(root, 'dashboard', 'vite.config.ts'), logLevel: 'warn' })
