import { mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Value } from 'typebox/value'
import { messageOf, systemCode } from '#contract/fault.ts'
import { replaceFile } from '../replace-file.ts'
import { Kept, nothingKept } from './machine-state.ts'

/** What the control of one structure keeps: one small file, replaced as a whole and synced before anything is written to the gate. */
export type KeptStore = { readonly kept: Kept; readonly keep: (kept: Kept) => Promise<void> }

/** @throws system errors of the folder. What is damaged is set aside: without it the agent agrees anew with the center before it moves anything. */
export async function openKept(
  folder: string,
  { structure, leaves, log }: { structure: string; leaves: number; log: Logger },
): Promise<KeptStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${structure}.json`)
  const kept = await read(file, log)
  return {
    kept: kept && kept.starts.length === leaves ? kept : { ...nothingKept(leaves), ...(kept && { counter: kept.counter, tag: kept.tag }) },
    keep: (next) => replaceFile(folder, file, JSON.stringify(next)),
  }
}

async function read(file: string, log: Logger): Promise<Kept | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
  try {
    const value: unknown = JSON.parse(text)
    if (Value.Check(Kept, value)) return value
    log.error({ file }, 'the state of control is not as this version writes it; set aside')
  } catch (error) {
    log.error({ file, error: messageOf(error) }, 'the state of control is damaged; set aside')
  }
  await rename(file, `${file}.damaged`)
  return null
}
