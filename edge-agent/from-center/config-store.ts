import { mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Value } from 'typebox/value'
import { messageOf, systemCode } from '#contract/fault.ts'
import { refuseOther } from '../outbox/owner.ts'
import { replaceFile } from '../replace-file.ts'
import { KeptConfig, NOTHING_KEPT } from './trial.ts'

export type ConfigStore = { readonly kept: KeptConfig; readonly keep: (kept: KeptConfig) => Promise<void> }

const FILE = 'from-center.json'

/**
 * In the outbox's folder: the site's own may be one that the agent can't write. What is damaged is set aside, and the site's own file runs.
 * @throws Fault DATA_IN_USE, and system errors of the folder
 */
export async function openConfigStore(folder: string, log: Logger): Promise<ConfigStore> {
  await mkdir(folder, { recursive: true })
  refuseOther(folder)
  const file = join(folder, FILE)
  return { kept: (await read(file, log)) ?? NOTHING_KEPT, keep: (kept) => replaceFile(folder, file, JSON.stringify(kept)) }
}

async function read(file: string, log: Logger): Promise<KeptConfig | null> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    if (Value.Check(KeptConfig, value)) return value
    log.error({ file }, 'the configuration from the center is not as this version writes it; set aside')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    if (!(error instanceof SyntaxError)) throw error
    log.error({ file, error: messageOf(error) }, 'the configuration from the center is damaged; set aside')
  }
  await rename(file, `${file}.damaged`)
  return null
}
