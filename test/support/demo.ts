import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Program, startProgram } from './program.ts'
import { copyRegistry } from './registry-template.ts'
import { freePort } from './servers.ts'

export type Demo = {
  readonly program: Program
  readonly address: string
  readonly mqtt: string
  readonly who: { login: string; password: string }
}

/** What `npm start` runs, on free ports, with its data in `folder`. Where a first start need not be one, the registry's database is copied. */
export async function startDemo(
  folder: string,
  options: { pollMs?: number; pastDays?: number; registry?: 'made' | 'copied' } = {},
): Promise<Demo> {
  const [http, mqtt] = [await freePort(), await freePort()]
  const password = 'a password for tests'
  const registry = join(folder, 'data', 'registry')
  if (options.registry !== 'made' && !existsSync(registry)) await copyRegistry(registry)
  const program = await startProgram('demo', ['demo'], {
    ready: 'Ctrl-C stops it',
    timeoutMs: 120_000,
    env: {
      SLUICE_DATA: join(folder, 'data'),
      SLUICE_HTTP_PORT: String(http),
      SLUICE_MQTT_PORT: String(mqtt),
      SLUICE_DEMO_PASSWORD: password,
      SLUICE_DEMO_POLL_MS: String(options.pollMs ?? 5000),
      SLUICE_DEMO_PAST_DAYS: String(options.pastDays ?? 0),
      SLUICE_LOG_LEVEL: 'warn',
    },
  })
  return { program, address: `http://127.0.0.1:${http}`, mqtt: `mqtt://127.0.0.1:${mqtt}`, who: { login: 'demo', password } }
}
