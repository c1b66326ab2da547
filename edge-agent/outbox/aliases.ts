import { randomInt } from 'node:crypto'
import type { Reading } from '#contract/reading.ts'
import type { Store } from './store.ts'

const KEY = 'alias'

/**
 * Metric name to Sparkplug alias, on the disk, for ever: a host that missed a birth must never take one metric for another.
 * An alias is unique in the whole node [tck-id-payloads-alias-uniqueness] and never used again. A new outbox does not know which ones an
 * older one had given, so it starts at a random place (aliases of two bytes on the wire).
 */
export class Aliases {
  readonly #meta: Store['meta']
  readonly #commits: Store['commits']
  readonly #byDevice = new Map<string, Map<string, number>>()
  readonly #nameOf = new Map<number, string>()
  #next: number

  constructor(meta: Store['meta'], commits: Store['commits']) {
    this.#meta = meta
    this.#commits = commits
    const next = meta.get('nextAlias')
    this.#next = typeof next === 'number' ? next : randomInt(128, 16_000)
    for (const { key, value } of meta.getRange({ start: [KEY], end: [KEY, '\uffff'] })) {
      const [, device, name] = key
      if (device !== undefined && name !== undefined) this.#remember(device, name, Number(value))
    }
  }

  /** Gives an alias to each name that has none. @returns all names that the device ever had. @throws Fault DISK_FULL */
  async claim(device: string, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const known = this.of(device)
    const fresh = names.filter((name) => !known.has(name)).map((name) => ({ name, alias: this.#next++ }))
    if (fresh.length > 0) {
      const next = this.#next
      await this.#commits.run(
        () => {
          for (const { name, alias } of fresh) void this.#meta.put([KEY, device, name], alias)
          void this.#meta.put('nextAlias', next)
        },
        { kind: 'add' },
      )
      for (const { name, alias } of fresh) this.#remember(device, name, alias)
    }
    return this.of(device)
  }

  of(device: string): ReadonlyMap<string, number> {
    return this.#byDevice.get(device) ?? new Map()
  }

  /** @throws RangeError for a name that was never claimed. */
  toAliases(device: string, readings: ReadonlyMap<string, Reading>): ReadonlyMap<number, Reading> {
    const aliases = this.of(device)
    const result = new Map<number, Reading>()
    for (const [name, reading] of readings) {
      const alias = aliases.get(name)
      if (alias === undefined) throw new RangeError(`${device} has no alias for ${name}`)
      result.set(alias, reading)
    }
    return result
  }

  toNames(readings: ReadonlyMap<number, Reading>): ReadonlyMap<string, Reading> {
    const result = new Map<string, Reading>()
    for (const [alias, reading] of readings) {
      const name = this.#nameOf.get(alias)
      if (name === undefined) throw new RangeError(`alias ${alias} was never given`)
      result.set(name, reading)
    }
    return result
  }

  #remember(device: string, name: string, alias: number): void {
    const names = this.#byDevice.get(device) ?? new Map<string, number>()
    names.set(name, alias)
    this.#byDevice.set(device, names)
    this.#nameOf.set(alias, name)
  }
}
