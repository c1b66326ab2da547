import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { Fault } from '#contract/fault.ts'
import type { Reading } from '#contract/reading.ts'
import { decodeRecord } from '../outbox/record.ts'

/** What waits in an outbox, oldest first: read beside a running agent too, for lmdb's readers disturb no writer. Nothing is changed. */

export type Waiting = { readonly structure: string; readonly t: number; readonly metric: string; readonly reading: Reading }

/** @returns readings, and at the end how many records could not be read. @throws Fault NOT_FOUND */
export async function* readOutbox(path: string): AsyncGenerator<Waiting, number> {
  if (!existsSync(join(path, 'data.mdb')))
    throw new Fault('NOT_FOUND', `there is no outbox in ${path}`, 'name the folder that outbox.path names')
  const root = open({ path, readOnly: true, noSubdir: false, maxDbs: 8, encoding: 'binary' })
  try {
    const records = root.openDB<Buffer, [number, number]>('records', { encoding: 'binary' })
    const meta = root.openDB<unknown, string[]>('meta', { encoding: 'json' })
    const names = new Map<number, string>()
    for (const { key, value } of meta.getRange({ start: ['alias'], end: ['alias', '\uffff'] })) names.set(Number(value), key[2] ?? '')
    let damaged = 0
    for (const key of [...records.getKeys()]) {
      const bytes = records.get(key)
      // Receipted and gone since its key was read.
      if (!bytes) continue
      const record = decodeRecord(bytes)
      if (!record) damaged += 1
      else
        for (const [alias, reading] of record.readings)
          yield { structure: record.device, t: record.t, metric: names.get(alias) ?? `alias ${alias}`, reading }
    }
    return damaged
  } finally {
    await root.close()
  }
}

export const CSV_HEAD = 'time,structure,metric,value,quality,reason\n'

export function csvLine({ structure, t, metric, reading }: Waiting): string {
  const [value, reason] = reading.quality === 'bad' ? ['', reading.reason] : [reading.value, '']
  return `${new Date(t).toISOString()},${structure},${metric},${value},${reading.quality},${reason}\n`
}
