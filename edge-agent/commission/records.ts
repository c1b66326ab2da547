import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { type CommissioningRecord, decodeRecordText, encodeRecordText } from '#contract/commissioning.ts'
import type { SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { NAMES } from '#contract/topics.ts'
import { syncFolder } from '../outbox/owner.ts'

/** The signed records of a site: a file each, and told to the center until it says that it has them. */

type Link = { readonly online: boolean; publishNode(metrics: SparkplugMetric[]): Promise<unknown> }
type Deps = { readonly folder: string; readonly link: Link; readonly now: () => number; readonly log: Logger }

const RETRY_MS = 60_000
const WAITING = '.waiting.json'
const AT_CENTER = '.json'

export class Records {
  readonly #deps: Deps
  readonly #all = new Map<string, CommissioningRecord>()
  readonly #waiting = new Set<string>()
  readonly #timer: NodeJS.Timeout

  private constructor(deps: Deps) {
    this.#deps = deps
    this.#timer = setInterval(() => void this.tell(), RETRY_MS)
  }

  static open(deps: Deps): Records {
    const records = new Records(deps)
    mkdirSync(deps.folder, { recursive: true })
    for (const name of readdirSync(deps.folder).filter((n) => n.endsWith(AT_CENTER))) {
      const record = decodeRecordText(readFileSync(join(deps.folder, name), 'utf8'))
      if (!record) deps.log.error({ name }, 'a commissioning record can not be read')
      else {
        records.#all.set(record.id, record)
        if (name.endsWith(WAITING)) records.#waiting.add(record.id)
      }
    }
    return records
  }

  /** On the disk when it returns. */
  add(record: CommissioningRecord): void {
    const { folder } = this.#deps
    const path = join(folder, `${record.id}${WAITING}`)
    writeFileSync(`${path}.new`, encodeRecordText(record), { flush: true })
    renameSync(`${path}.new`, path)
    syncFolder(folder)
    this.#all.set(record.id, record)
    this.#waiting.add(record.id)
    void this.tell()
  }

  /** Newest first. */
  list(): { record: CommissioningRecord; at_center: boolean }[] {
    return [...this.#all.values()].toSorted((a, b) => b.at - a.at).map((record) => ({ record, at_center: !this.#waiting.has(record.id) }))
  }

  /** The session has begun, or it is time again. */
  async tell(): Promise<void> {
    const { link, now } = this.#deps
    for (const id of this.#waiting) {
      const record = this.#all.get(id)
      if (!record || !link.online) return
      await link.publishNode([{ name: NAMES.commissioning, timestamp: now(), datatype: 'String', value: encodeRecordText(record) }])
    }
  }

  /** The center's word that it has it. */
  received(id: string): void {
    const { folder, log } = this.#deps
    if (!this.#waiting.delete(id)) return
    renameSync(join(folder, `${id}${WAITING}`), join(folder, `${id}${AT_CENTER}`))
    log.info({ id }, 'the center has the commissioning record')
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
