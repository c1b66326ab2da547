import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { BatchId } from '#contract/batch.ts'
import { assertNever, messageOf } from '#contract/fault.ts'
import type { NodeAddress } from '#contract/topics.ts'
import { unixMs } from '#contract/units.ts'
import type { History, Sample } from '#history/port.ts'
import type { ToldLoss } from '#registry/gaps.ts'
import type { DeadLetter, Registry } from '#registry/port.ts'
import { settle } from './settle.ts'

/** One message's worth of work for the stores. */
export type Work = {
  readonly node: NodeAddress
  readonly device: string | null
  /** Null for a foreign node's message: nobody waits for a receipt. */
  readonly batch: BatchId | null
  readonly samples: readonly Sample[]
  readonly dead: readonly DeadLetter[]
  /** Readings that the agent says are lost: for the registry, and only then receipted. */
  readonly lost?: ToldLoss
  /** The message, for a dead letter: with names in place of aliases, so that it can be read again when its birth is forgotten. */
  readonly payload: () => Uint8Array
}

export type WriterSettings = { readonly write_samples: number; readonly foreign_samples: number; readonly batches_per_node: number }
/** Resolves when every alarm transition that has happened so far is durable; undefined when it is. */
export type AlarmsSettled = () => Promise<void> | undefined
export type SendReceipts = (node: NodeAddress, ids: readonly BatchId[]) => void

export type WriterStats = {
  written: number
  receipts: number
  deadLetters: number
  /** Foreign samples that were dropped because history stayed away too long. */
  dropped: number
  /** Batches that came again while they were still waiting. */
  repeated: number
}

const MAX_PAYLOAD = 64 * 1024
/** Refusals of one message beyond this are told as one: a node of a thousand foreign tags would fill the memory with copies. */
const MAX_REFUSALS = 50
const RETRY_REGISTRY_MS = 1000
/** Messages with dead letters that wait while the registry is away; each may hold 64 KiB. */
const MAX_DEAD_WAITING = 1000
/** The first of the queue are in the hands of the registry and stay where they are. */
const FILED_AT_ONCE = 200

/**
 * Takes decoded messages to history and the dead letters, and receipts each batch when all of it is durable, never before.
 * Memory is bounded: our agents stop at their window, foreign nodes' samples are counted.
 */
export class Writer {
  readonly #history: History
  readonly #registry: Registry
  readonly #settings: WriterSettings
  readonly #sendReceipts: SendReceipts
  readonly #alarmsSettled: AlarmsSettled
  readonly #log: Logger
  readonly #queue: Work[] = []
  readonly #deadQueue: Work[] = []
  /** Batches that wait, by node: a repetition of one is not queued again. */
  readonly #waiting = new Map<string, Set<BatchId>>()
  readonly #stats: WriterStats = { written: 0, receipts: 0, deadLetters: 0, dropped: 0, repeated: 0 }
  readonly #stop = new AbortController()
  #foreignSamples = 0
  #writing: Promise<void> | undefined
  #filing: Promise<void> | undefined

  constructor(deps: {
    history: History
    registry: Registry
    settings: WriterSettings
    sendReceipts: SendReceipts
    alarmsSettled: AlarmsSettled
    log: Logger
  }) {
    this.#history = deps.history
    this.#registry = deps.registry
    this.#settings = deps.settings
    this.#sendReceipts = deps.sendReceipts
    this.#alarmsSettled = deps.alarmsSettled
    this.#log = deps.log
  }

  stats(): Readonly<WriterStats> & { queued: number; deadQueued: number } {
    return { ...this.#stats, queued: this.#queue.length, deadQueued: this.#deadQueue.length }
  }

  add(work: Work): void {
    if (this.#stop.signal.aborted) return
    if (work.batch === null && work.samples.length === 0) {
      // Nothing for history: it must not wait for history.
      this.#finish([work])
      this.#dropOldestDead()
      return
    }
    if (work.batch === null) {
      this.#foreignSamples += work.samples.length
      this.#queue.push(work)
      this.#dropOldestForeign()
    } else {
      const waiting = this.#waitingOf(work.node)
      if (waiting.has(work.batch)) {
        this.#stats.repeated++
        return
      }
      if (waiting.size >= this.#settings.batches_per_node) return
      waiting.add(work.batch)
      this.#queue.push(work)
    }
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  /** Ends the loops. What is not written yet is not receipted: its agents send it again. */
  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all([this.#writing, this.#filing])
  }

  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      const works = this.#takeSome()
      // A batch of ours never changes, so only a foreign node's message can rewrite a point.
      const own = works.filter((w) => w.batch !== null)
      const foreign = works.filter((w) => w.batch === null)
      await this.#write(own, { rewrite: false })
      await this.#write(foreign, { rewrite: true })
    }
  }

  #takeSome(): Work[] {
    let samples = 0
    let count = 0
    for (const work of this.#queue) {
      if (count > 0 && samples + work.samples.length > this.#settings.write_samples) break
      samples += work.samples.length
      count++
    }
    const works = this.#queue.splice(0, count)
    for (const w of works) if (w.batch === null) this.#foreignSamples -= w.samples.length
    return works
  }

  async #write(works: readonly Work[], options: { rewrite: boolean }): Promise<void> {
    const samples: Sample[] = []
    for (const work of works) for (const sample of work.samples) samples.push(sample)
    for (let announced = false; samples.length > 0; ) {
      const next = settle(await this.#history.write(samples, options))
      if (next.do === 'wait') {
        if (!announced)
          this.#log.warn({ cause: messageOf(next.cause), samples: samples.length }, 'history takes nothing; batches wait with their agents')
        announced = true
        await sleep(next.ms, undefined, { signal: this.#stop.signal }).catch(ignoreAbort)
        if (this.#stop.signal.aborted) return
        continue
      }
      if (announced) this.#log.info('history takes samples again')
      this.#stats.written += samples.length
      switch (next.do) {
        case 'receipt':
          this.#finish(works)
          return
        case 'dead-letter-then-receipt':
          this.#stats.written -= next.samples.length
          this.#finish(works.map((w) => ({ ...w, dead: [...w.dead, ...refusedOf(w, next.samples, next.reason)] })))
          return
        default:
          assertNever(next)
      }
    }
    this.#finish(works)
  }

  #finish(works: readonly Work[]): void {
    this.#receipt(works.filter((w) => !isForRegistry(w)))
    this.#deadQueue.push(...works.filter(isForRegistry))
    if (this.#deadQueue.length > 0) {
      this.#filing ??= this.#fileAll().finally(() => {
        this.#filing = undefined
      })
    }
  }

  /** Dead letters and lost readings wait for the registry by themselves, so that a registry that is away stops nobody else. */
  async #fileAll(): Promise<void> {
    while (this.#deadQueue.length > 0 && !this.#stop.signal.aborted) {
      const works = this.#deadQueue.slice(0, FILED_AT_ONCE)
      try {
        await this.#registry.gaps.recordLost(works.flatMap((w) => w.lost ?? []))
        await this.#registry.deadLetters.add(
          works.flatMap((w) => w.dead),
          unixMs(Date.now()),
        )
      } catch (error) {
        this.#log.warn(
          { error: messageOf(error), waiting: this.#deadQueue.length },
          'dead letters and lost readings were not filed; trying again',
        )
        await sleep(RETRY_REGISTRY_MS, undefined, { signal: this.#stop.signal }).catch(ignoreAbort)
        continue
      }
      this.#deadQueue.splice(0, works.length)
      this.#stats.deadLetters += works.reduce((n, w) => n + w.dead.length, 0)
      this.#receipt(works)
    }
  }

  /** An alarm that a batch has raised must not be lost with it. */
  #receipt(works: readonly Work[]): void {
    const settled = works.some((w) => w.batch !== null) ? this.#alarmsSettled() : undefined
    if (settled !== undefined) void settled.then(() => this.#sendReceiptsOf(works))
    else this.#sendReceiptsOf(works)
  }

  #sendReceiptsOf(works: readonly Work[]): void {
    const byNode = new Map<string, { node: NodeAddress; ids: BatchId[] }>()
    for (const { node, batch } of works) {
      if (batch === null) continue
      this.#waitingOf(node).delete(batch)
      const entry = byNode.get(nodeKey(node)) ?? { node, ids: [] }
      entry.ids.push(batch)
      byNode.set(nodeKey(node), entry)
    }
    for (const { node, ids } of byNode.values()) {
      this.#stats.receipts += ids.length
      this.#sendReceipts(node, ids)
    }
  }

  #waitingOf(node: NodeAddress): Set<BatchId> {
    const key = nodeKey(node)
    const waiting = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, waiting)
    return waiting
  }

  #dropOldestForeign(): void {
    while (this.#foreignSamples > this.#settings.foreign_samples) {
      const oldest = this.#queue.findIndex((w) => w.batch === null)
      const [dropped] = oldest < 0 ? [] : this.#queue.splice(oldest, 1)
      if (!dropped) return
      this.#foreignSamples -= dropped.samples.length
      if (this.#stats.dropped === 0) this.#log.error('history has been away too long: samples of nodes without receipts are being dropped')
      this.#stats.dropped += dropped.samples.length
    }
  }

  /** Those of foreign nodes only: a batch of ours is bounded by its agent's window. */
  #dropOldestDead(): void {
    while (this.#deadQueue.length > MAX_DEAD_WAITING) {
      const oldest = this.#deadQueue.findIndex((w, i) => i >= FILED_AT_ONCE && w.batch === null)
      if (oldest < 0) return
      this.#deadQueue.splice(oldest, 1)
      this.#stats.dropped++
    }
  }
}

const isForRegistry = (work: Work): boolean => work.dead.length > 0 || work.lost !== undefined
const nodeKey = (node: NodeAddress): string => `${node.group}/${node.node}`

type Refused = { readonly metric: string | null; readonly reason: string }

/** Dead letters from what a message was and why it, or metrics of it, could not be taken. They share one copy of the payload. */
export function deadLetters(work: Pick<Work, 'node' | 'device' | 'payload' | 'batch'>, refusals: readonly Refused[]): DeadLetter[] {
  if (refusals.length === 0) return []
  const payload = Buffer.from(work.payload().subarray(0, MAX_PAYLOAD)).toString('base64')
  const told: Refused[] = refusals.slice(0, MAX_REFUSALS)
  if (refusals.length > told.length) told.push({ metric: null, reason: `${refusals.length - told.length} more metrics of the message` })
  return told.map(({ metric, reason }) => ({
    group: work.node.group,
    node: work.node.node,
    device: work.device,
    metric,
    reason,
    ...(work.batch !== null && metric === null ? { batch: String(work.batch) } : {}),
    payload,
  }))
}

function refusedOf(work: Work, refused: readonly Sample[], reason: string): DeadLetter[] {
  const mine = new Set(work.samples)
  const metrics = new Set(refused.filter((s) => mine.has(s)).map((s) => s.metric))
  return deadLetters(
    work,
    [...metrics].map((metric) => ({ metric, reason: `history refused it: ${reason}` })),
  )
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}
