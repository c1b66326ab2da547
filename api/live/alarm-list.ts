import type { Logger } from 'pino'
import { type Alarm, alarmState } from '#contract/alarm.ts'
import { messageOf } from '#contract/fault.ts'
import type { AlarmRegistry } from '#registry/alarms.ts'

const EVERY_MS = 1000
/** A transaction that began before the last reading may have ended after it. */
const OVERLAP_MS = 5000

type Source = Pick<AlarmRegistry, 'present' | 'changed'>

/**
 * The alarms that operators have to do with. Their truth is in the registry, and what has changed there is read once a second: so every node
 * has the whole list after any restart, and a lost broker, itself an alarm, can still be told of.
 */
export class AlarmList {
  readonly #source: Source
  readonly #log: Logger
  readonly #alarms = new Map<string, Alarm>()
  readonly #listeners = new Set<(ids: readonly string[]) => void>()
  #since: number | undefined
  #reading: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #announced = false

  constructor(source: Source, log: Logger) {
    this.#source = source
    this.#log = log
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.refresh(), EVERY_MS)
    void this.refresh()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#reading
  }

  get(id: string): Alarm | undefined {
    return this.#alarms.get(id)
  }

  /** Those that are not plainly normal. */
  present(now: number): Alarm[] {
    return [...this.#alarms.values()].filter((alarm) => alarmState(alarm, now) !== 'normal')
  }

  onChange(listener: (ids: readonly string[]) => void): void {
    this.#listeners.add(listener)
  }

  /** Reads what has changed. A registry that is away is told of once; the list stays as it was. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read()
      .then(
        () => {
          if (this.#announced) this.#log.info('alarms are read again')
          this.#announced = false
        },
        (error: unknown) => {
          if (!this.#announced) this.#log.warn({ error: messageOf(error) }, 'alarms were not read; trying again')
          this.#announced = true
        },
      )
      .finally(() => {
        this.#reading = undefined
      })
    return this.#reading
  }

  async #read(): Promise<void> {
    const { now, alarms } = await this.#source.changed(this.#since === undefined ? Number.MAX_SAFE_INTEGER : this.#since - OVERLAP_MS)
    const first = this.#since === undefined ? await this.#source.present() : []
    this.#since = now
    const changed: string[] = []
    for (const alarm of [...first, ...alarms]) {
      if ((this.#alarms.get(alarm.id)?.rev ?? -1) >= alarm.rev) continue
      this.#alarms.set(alarm.id, alarm)
      changed.push(alarm.id)
    }
    if (changed.length > 0) for (const listener of this.#listeners) listener(changed)
  }
}
