import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ModbusServer } from '#simulators/modbus-server.ts'
import { buildEdgeCli, type EdgeCli } from '#test/support/edge-cli.ts'
import { root } from '#test/support/program.ts'
import { tempFolder } from '#test/support/servers.ts'
import { openUnknownSensor, UNKNOWN_SENSOR_PORT } from '#test/support/unknown-sensor.ts'

let cli: EdgeCli
let sensor: ModbusServer
const folder = tempFolder('guide')
beforeAll(async () => {
  cli = await buildEdgeCli()
  sensor = await openUnknownSensor(0)
})
afterAll(async () => {
  cli?.remove()
  await sensor?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** What differs from one run to the next: how long something took. */
const steady = (text: string): string => text.replaceAll(/\b\d+(\.\d+)? (ms|s)\b/g, '… $2').trimEnd()
const BLOCK = /```(console|yaml profile)\n([\s\S]*?)```/g

/** Runs each command of the guide in order, as an engineer who types them. @returns the guide with what they said. */
async function asRun(guide: string, cwd: string): Promise<string> {
  let result = guide
  for (const [whole, kind, text = ''] of guide.matchAll(BLOCK)) {
    if (kind === 'yaml profile') {
      mkdirSync(join(cwd, 'profiles'), { recursive: true })
      writeFileSync(join(cwd, 'profiles', 'unknown-level.yaml'), text)
      continue
    }
    let block = ''
    for (const command of text.split('\n').filter((l) => l.startsWith('$ sluice edge '))) {
      const real = command.replaceAll(`:${UNKNOWN_SENSOR_PORT}`, `:${sensor.port}`)
      const { out, err } = await cli.run(real.slice('$ sluice edge '.length).split(' '), { cwd, columns: 80 })
      block += `${command}\n${(out + err).replaceAll(`:${sensor.port}`, `:${UNKNOWN_SENSOR_PORT}`)}`
    }
    result = result.replace(whole, `\`\`\`console\n${block.trimEnd()}\n\`\`\``)
  }
  return result
}

const consoles = (guide: string): string[] => [...guide.matchAll(BLOCK)].map((m) => m[0])

test('the commands of docs/field-guide.md say what it shows', async () => {
  const file = join(root, 'docs', 'field-guide.md')
  const guide = readFileSync(file, 'utf8')
  const run = await asRun(guide, folder)
  // SLUICE_UPDATE_GUIDE=1 writes what they say now.
  if (process.env['SLUICE_UPDATE_GUIDE']) writeFileSync(file, run)
  else expect(steady(guide)).toBe(steady(run))
})

test('the guide in Chinese shows the same commands and what they say', () => {
  const [english, chinese] = ['field-guide.md', 'field-guide.zh.md'].map((name) => readFileSync(join(root, 'docs', name), 'utf8'))
  expect(consoles(chinese ?? '')).toEqual(consoles(english ?? ''))
})
