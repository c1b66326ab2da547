import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './prepare.mjs'

// TypeBox is 680 files, a third of the time that a command takes to start. The others are found in node_modules.
const BUNDLED = ['typebox', '@fastify/type-provider-typebox']
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const external = Object.keys(dependencies).filter((name) => !BUNDLED.includes(name))

/** How esbuild makes of our sources what Node runs. */
export const BUNDLING = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: external.flatMap((name) => [name, `${name}/*`]),
  logLevel: 'warning',
}
