import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './prepare.mjs'

// Those of many files: finding and reading each costs more time than all that is in it. The others are found in node_modules.
const BUNDLED = [
  'typebox',
  '@fastify/type-provider-typebox',
  '@duckdb/node-api',
  '@zxcvbn-ts/core',
  '@zxcvbn-ts/language-common',
  'drizzle-orm',
  'hyparquet',
  'hyparquet-writer',
  'prom-client',
  'yaml',
]
// The binary of a bundled one.
const BESIDE = ['@duckdb/node-bindings']
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const external = Object.keys(dependencies).filter((name) => !BUNDLED.includes(name))

/** How esbuild makes of our sources what Node runs. */
export const BUNDLING = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: [...external, ...BESIDE].flatMap((name) => [name, `${name}/*`]),
  // What is bundled and written for CommonJS asks for parts of Node by it.
  banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
  logLevel: 'warning',
}
