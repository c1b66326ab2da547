// npm test: install, build, lint, types, every test. Ends with a line that says how many passed.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, install, root } from '../bin/prepare.mjs'
import { installPackages } from './packages.mjs'

install()
installPackages()
build()

const bin = (name) => join(root, 'node_modules', '.bin', name)
const steps = [
  ['lint and format', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['types', bin('tsc'), ['--noEmit']],
  ['types of the dashboard', bin('vue-tsc'), ['--noEmit', '-p', 'dashboard']],
]
process.stdout.write(`── ${steps.map(([what]) => what).join(', ')}\n`)
const ended = await Promise.all(
  steps.map(async ([what, command, args]) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' })
    const [status] = await once(child, 'exit')
    if (status !== 0) process.stderr.write(`${what}: failed\n`)
    return status
  }),
)
if (ended.some((status) => status !== 0)) process.exit(1)

process.stdout.write('── tests\n')
const report = join(tmpdir(), `sluice-test-${process.pid}.json`)
const { status } = spawnSync(
  bin('vitest'),
  [
    'run',
    '--project',
    'unit',
    '--project',
    'system',
    '--project',
    'chaos',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
)
const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'))
rmSync(report)
process.stdout.write(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests + numTodoTests} skipped\n`)
process.exit(status ?? 1)
