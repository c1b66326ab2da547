import { Value } from 'typebox/value'
import { type LossReason, LostRecord } from '#contract/lost.ts'
import type { Store } from './store.ts'

const OPEN = 'losing'
const TOLD = 'lost-told'

/** Readings of one structure that are given up. */
export type Loss = {
  readonly structure: string | null
  readonly from: number
  readonly to: number
  readonly readings: number
  readonly why: LossReason
}

/** What a transaction must write, and what is true once it has been committed. */
type Change = { readonly write: () => void; readonly done: () => void }

/**
 * What was lost and has no receipt yet: one interval for each structure and reason, which grows until it is taken to be told. From then on it
 * stands under a batch id of its own. One change at a time: the caller waits for the commit before the next.
 */
export class Losses {
  readonly #meta: Store['meta']
  #open: ReadonlyMap<string, LostRecord>
  readonly #told: Map<number, readonly LostRecord[]>

  constructor(meta: Store['meta']) {
    this.#meta = meta
    const open = [...meta.getRange({ start: [OPEN], end: [OPEN, '\uffff'] })].flatMap(({ value }) => (isRecord(value) ? [value] : []))
    this.#open = new Map(open.map((record) => [keyOf(record), record]))
    this.#told = new Map(
      [...meta.getRange({ start: [TOLD], end: [TOLD, '\uffff'] })].map(({ key, value }) => [
        Number(key[1]),
        Array.isArray(value) ? value.filter(isRecord) : [],
      ]),
    )
  }

  /** Losses that wait to be told for the first time. */
  get waiting(): boolean {
    return this.#open.size > 0
  }

  /** Batches that were made of losses, by counter. */
  get told(): ReadonlyMap<number, readonly LostRecord[]> {
    return this.#told
  }

  add(losses: readonly Loss[]): Change {
    const open = new Map(this.#open)
    const touched = new Set<string>()
    for (const loss of losses) {
      const key = keyOf(loss)
      const known = open.get(key)
      open.set(key, known ? merged(known, loss) : { ...loss })
      touched.add(key)
    }
    return {
      write: () => {
        for (const key of touched) void this.#meta.put([OPEN, key], open.get(key))
      },
      done: () => {
        this.#open = open
      },
    }
  }

  /** Puts what waits under a batch's counter, for good. */
  seal(counter: number): Change {
    const records = [...this.#open.values()]
    return {
      write: () => {
        for (const key of this.#open.keys()) void this.#meta.remove([OPEN, key])
        void this.#meta.put([TOLD, String(counter)], records)
      },
      done: () => {
        this.#open = new Map()
        this.#told.set(counter, records)
      },
    }
  }

  /** On their receipt. */
  forget(counters: readonly number[]): Change {
    return {
      write: () => {
        for (const counter of counters) void this.#meta.remove([TOLD, String(counter)])
      },
      done: () => {
        for (const counter of counters) this.#told.delete(counter)
      },
    }
  }
}

const isRecord = (value: unknown): value is LostRecord => Value.Check(LostRecord, value)
const keyOf = ({ structure, why }: Pick<Loss, 'structure' | 'why'>): string => `${why} ${structure ?? ''}`
const merged = (a: LostRecord, b: Loss): LostRecord => ({
  ...a,
  from: Math.min(a.from, b.from),
  to: Math.max(a.to, b.to),
  readings: a.readings + b.readings,
})
