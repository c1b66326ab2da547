import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import { type BirthIndex, type BirthTable, indexBirth } from '#contract/sparkplug/birth.ts'
import type { NodeAddress } from '#contract/topics.ts'
import type { Registry } from '#registry/port.ts'

export type Birth = BirthIndex & { readonly table: BirthTable; readonly receipts: boolean; readonly saved: boolean }
type Address = NodeAddress & { readonly device?: string }

const birthOf = (table: BirthTable, saved: boolean): Birth => ({ ...indexBirth(table), table, receipts: table.receipts, saved })
/** Births held at most: those of a registered district are far fewer. */
const MOST_BIRTHS = 50_000
const keyOf = (a: Address): string => `${a.group}/${a.node}/${a.device ?? ''}`

/** Births that nodes have sent, kept over restarts so that a missed birth can't turn one metric into another. */
export class Births {
  readonly #registry: Registry
  readonly #log: Logger
  readonly #births = new Map<string, Birth>()
  readonly #unsaved = new Map<string, { address: Address; table: BirthTable }>()
  #saving = false

  constructor(deps: { registry: Registry; log: Logger }) {
    this.#registry = deps.registry
    this.#log = deps.log
  }

  /** @throws Fault REGISTRY_UNREACHABLE */
  async load(): Promise<void> {
    for (const { address, table } of await this.#registry.births.all()) {
      const key = keyOf(address)
      // A foreign node may have given its aliases anew while we were away; ours never do.
      if (table.receipts && !this.#births.has(key)) this.#births.set(key, birthOf(table, true))
    }
  }

  get(address: Address): Birth | undefined {
    return this.#births.get(keyOf(address))
  }

  /** Births of unregistered devices are held in memory only, and not without bound: anyone on the broker may invent devices. */
  put(address: Address, table: BirthTable, options: { save: boolean }): void {
    const key = keyOf(address)
    if (!options.save && this.#births.size >= MOST_BIRTHS && !this.#births.has(key)) return
    this.#births.set(key, birthOf(table, options.save))
    if (!options.save || !table.receipts) return
    this.#unsaved.set(key, { address, table })
    this.save()
  }

  /** Another worker has the group: what its nodes say from now on is not heard here. */
  forgetGroup(group: string): void {
    for (const key of this.#births.keys()) if (group === '+' || key.startsWith(`${group}/`)) this.#births.delete(key)
  }

  forgetForeign(): void {
    for (const [key, { receipts }] of this.#births) if (!receipts) this.#births.delete(key)
  }

  /**
   * Whether a batch of this outbox may be read by the birth that is kept. A repaired agent has a new outbox with aliases of its own; if its
   * birth was missed, the old one would turn one metric into another, so it is forgotten.
   */
  covers(address: Address, epoch: number): boolean {
    const birth = this.get(address)
    if (!birth) return false
    if (birth.table.epoch === epoch) return true
    if (birth.table.epoch === undefined) {
      this.put(address, { ...birth.table, epoch }, { save: birth.saved })
      return true
    }
    this.#births.delete(keyOf(address))
    return false
  }

  /** A foreign node gives its aliases anew with each NBIRTH, so what its devices said before is void. */
  forgetDevices(node: NodeAddress): void {
    const prefix = `${node.group}/${node.node}/`
    for (const key of this.#births.keys()) if (key.startsWith(prefix) && key !== prefix) this.#births.delete(key)
  }

  /** Writes what is not saved yet. A registry that is away is tried again with the next birth or the next call: a lost table costs a rebirth. */
  save(): void {
    if (this.#saving || this.#unsaved.size === 0) return
    this.#saving = true
    this.#saveAll()
      .catch((error: unknown) => this.#log.warn({ error: messageOf(error) }, 'birth tables were not saved; they are kept in memory'))
      .finally(() => {
        this.#saving = false
      })
  }

  async #saveAll(): Promise<void> {
    let failure: unknown
    for (const [key, birth] of [...this.#unsaved]) {
      try {
        await this.#registry.births.put(birth.address, birth.table)
        if (this.#unsaved.get(key) === birth) this.#unsaved.delete(key)
      } catch (error) {
        failure = error
      }
    }
    if (failure !== undefined) throw failure
  }
}
