import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from './support/program.ts'
import { tempFolder } from './support/servers.ts'

// A tree of probes beside the real one, so that a test that is cut off leaves nothing in the sources.
let tree = ''
beforeAll(() => {
  tree = tempFolder('boundaries')
  const rules = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')) as Record<string, unknown>
  writeFileSync(join(tree, 'biome.json'), JSON.stringify({ ...rules, vcs: { enabled: false } }))
})
afterAll(() => rmSync(tree, { recursive: true, force: true }))

/** Lints a line as if it stood in a file of the room. @returns what Biome says. */
function lint(room: string, line: string): string {
  mkdirSync(join(tree, room), { recursive: true })
  const probe = join(tree, room, 'probe.ts')
  writeFileSync(probe, `${line}\n`)
  const { stdout, stderr } = spawnSync(join(root, 'node_modules', '.bin', 'biome'), ['lint', probe], { cwd: tree, encoding: 'utf8' })
  return stdout + stderr
}

const FORBIDDEN: readonly [room: string, line: string, message: string][] = [
  ['contract', "export { readFile } from 'node:fs/promises'", 'contract is pure'],
  ['contract', "export { connect } from 'mqtt'", 'does not talk to this library'],
  ['contract', "export { openIngest } from '#ingest/main.ts'", 'contract is pure'],
  ['hydraulics', "export { readFileSync } from 'node:fs'", 'hydraulics is pure'],
  ['edge-agent', "export { openIngest } from '#ingest/main.ts'", 'no sibling'],
  ['edge-agent', "export { openIngest } from '../ingest/main.ts'", 'by #room'],
  ['ingest', "export { openApi } from '#api/main.ts'", 'no sibling'],
  ['ingest', "export { default } from 'modbus-serial'", 'does not talk to this library'],
  ['notify', "export { openApi } from '#api/main.ts'", 'no sibling'],
  ['api', "export { startNotifier } from '#notify/notifier.ts'", 'no sibling'],
  ['api', "export { openEdge } from '#edge-agent/main.ts'", 'no sibling'],
  ['api', "export { openIngest } from '../../ingest/main.ts'", 'by #room'],
  ['history', "export { openRegistry } from '#registry/open.ts'", 'no sibling'],
  ['registry', "export { openHistory } from '#history/open.ts'", 'no sibling'],
  ['broker', "export { openIngest } from '#ingest/main.ts'", 'no sibling'],
  ['simulators', "export { openEdge } from '#edge-agent/main.ts'", 'no sibling'],
]

test.each(FORBIDDEN)('%s may not say: %s', (room, line, message) => {
  const said = lint(room, line)
  expect(said).toContain('noRestrictedImports')
  expect(said).toContain(message)
})

const ALLOWED: readonly [room: string, line: string][] = [
  ['contract', "export { Type } from 'typebox'"],
  ['edge-agent', "export { good } from '#contract/reading.ts'"],
  ['ingest', "export type { History } from '#history/port.ts'"],
  ['api', "export type { Registry } from '#registry/port.ts'"],
  ['bin', "export { openApi } from '#api/main.ts'"],
]

test.each(ALLOWED)('%s may say: %s', (room, line) => {
  const said = lint(room, line)
  expect(said).toContain('Checked 1 file')
  expect(said).not.toContain('noRestrictedImports')
})
