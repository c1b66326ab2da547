// Plain JavaScript: it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const SOURCES = [
  'api',
  'bin',
  'broker',
  'contract',
  'dashboard',
  'districts',
  'edge-agent',
  'history',
  'hydraulics',
  'ingest',
  'registry',
  'simulators',
]

/** Ends with one sentence. */
export function give(message) {
  process.stderr.write(`sluice: ${message}\n`)
  process.exit(1)
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) give(`Node ${process.versions.node} is too old: install Node 20.19 or newer`)
}

function run(command, args, what) {
  process.stderr.write(`sluice: ${what} …\n`)
  const started = Date.now()
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (result.error) give(`${what} failed: ${command} can't be started: ${result.error.message}`)
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}`)
    give(`${what} failed (${command} ended with ${result.status}): the lines above say why`)
  }
  process.stderr.write(`sluice: ${what} took ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
}

const hash = (text) => createHash('sha256').update(text).digest('hex')
const marked = (file, mark) => existsSync(file) && readFileSync(file, 'utf8') === mark

/** Installs what package-lock.json names, unless it is there already. */
export function install() {
  checkNode()
  const mark = hash(readFileSync(join(root, 'package-lock.json')))
  const file = join(root, 'node_modules', '.sluice-installed')
  if (marked(file, mark)) return
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], 'installing packages')
  writeFileSync(file, mark)
}

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path)
    else yield path
  }
}

function fingerprint() {
  const parts = [join(root, 'package-lock.json'), join(root, 'package.json'), ...SOURCES.flatMap((s) => [...filesBelow(join(root, s))])]
  return hash(parts.map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`).join('\n'))
}

/** Bundles the program and the dashboard into dist/, unless nothing has changed. */
export function build() {
  const mark = fingerprint()
  const file = join(root, 'dist', '.sluice-built')
  if (marked(file, mark)) return
  run(process.execPath, [join(root, 'bin', 'build.mjs')], 'building')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, mark)
}
