import type { Logger } from 'pino'
import { assertNever } from '#contract/fault.ts'
import type { BadReason } from '#contract/reading.ts'
import type { BusSettings } from '../settings.ts'
import type { Found, Framing } from './framing.ts'
import { DtuListeners } from './line/dtu-listener.ts'
import type { Line } from './line/line.ts'
import { openLine } from './line/open-line.ts'
import { silenceMs } from './line/serial-line.ts'
import { Owed } from './owed.ts'
import {
  type Expected,
  expectedOf,
  isWrite,
  pduOf,
  type ReadRequest,
  type Reply,
  type Request,
  readPdu,
  type WriteRequest,
} from './request.ts'

export type BusReply = Exclude<Reply, { kind: 'written' }>

/**
 * What became of a write. `unknown`: it was sent, and nobody can say whether the device carried it out: read back before anything else.
 * The bus never repeats a write.
 */
export type WriteOutcome =
  | { readonly kind: 'written' }
  /** The device says that it did not. */
  | { readonly kind: 'refused'; readonly reason: BadReason }
  | { readonly kind: 'not_sent'; readonly reason: BadReason }
  | { readonly kind: 'unknown'; readonly reason: BadReason }

/** Everything about a bus but its devices: so a hand tool can open one too. */
export type BusAddress = {
  [T in BusSettings['transport']]: Omit<Extract<BusSettings, { transport: T }>, 'devices'>
}[BusSettings['transport']]

export type BusStats = {
  readonly requests: number
  readonly timeouts: number
  /** Answers that failed a check: wrong sum, length, function, unit, echo. */
  readonly bad_replies: number
  /** Whole frames that answered something else, most of them late. */
  readonly foreign_frames: number
}

/** How a write stands among the others. `stillWanted` is asked when its turn comes: when not, it is never sent. */
export type WriteTurn = { readonly first: boolean; readonly stillWanted: () => boolean }
const IN_TURN: WriteTurn = { first: false, stillWanted: () => true }

type Job = { readonly request: Request; readonly stillWanted: () => boolean; readonly settle: (reply: Reply, sent: boolean) => void }
type Pending = { readonly job: Job; readonly expected: Expected; readonly timer: NodeJS.Timeout; heard: boolean }

/** So many timeouts in a row without a single byte, and the connection is taken for dead, as when an operator drops it half-open. */
const SILENT_TIMEOUTS = 3
/** An RTU answer with a wrong sum is given up when the line has been quiet for so long, in ms. */
const QUIET_MS = { wire: 50, network: 1000 }
const bad = (reason: BadReason): Reply => ({ kind: 'bad', reason })

/**
 * One bus, one queue: a request goes out when the answer to the last one came, or is given up. Nothing is ever pipelined, and a late or foreign
 * answer is never taken for this one: see `Owed` for RTU, where frames carry no transaction.
 * While there is no connection a request is BAD `not_connected` at once.
 */
export class Bus {
  readonly #settings: BusAddress
  readonly #framing: Framing
  readonly #log: Logger
  readonly #line: Line
  readonly #owed: Owed
  readonly #pauseMs: number
  readonly #queue: Job[] = []
  #pending: Pending | null = null
  #received: Buffer = Buffer.alloc(0)
  #lastByteAt = 0
  #wake: NodeJS.Timeout | null = null
  #quiet: NodeJS.Timeout | null = null
  #pumping = false
  #silentTimeouts = 0
  #closed = false
  readonly #stats = { requests: 0, timeouts: 0, bad_replies: 0, foreign_frames: 0 }

  private constructor(settings: BusAddress, log: Logger, listeners: DtuListeners) {
    this.#settings = settings
    this.#log = log
    this.#owed = new Owed(settings.transport === 'tcp' ? 0 : settings.late_ms)
    this.#pauseMs = settings.transport === 'serial' ? Math.max(settings.pause_ms, silenceMs(settings)) : settings.pause_ms
    const opened = openLine(settings, { bytes: (received) => this.#take(received), lost: () => this.#lost() }, { log, listeners })
    this.#line = opened.line
    this.#framing = opened.framing
  }

  /** @param listeners those of the whole agent, where DTUs of several buses dial in at one port. */
  static open(settings: BusAddress, log: Logger, listeners = new DtuListeners(log)): Bus {
    return new Bus(settings, log.child({ bus: settings.name }), listeners)
  }

  /** Never throws for what a device does: what went wrong is the reply's reason. */
  async read(request: ReadRequest): Promise<BusReply> {
    const { reply } = await this.#ask(request)
    return reply.kind === 'written' ? { kind: 'bad', reason: 'bad_reply' } : reply
  }

  /** Goes before the reads that wait. */
  async write(request: WriteRequest, turn: WriteTurn = IN_TURN): Promise<WriteOutcome> {
    const { reply, sent } = await this.#ask(request, turn)
    if (reply.kind === 'written') return reply
    const reason = reply.kind === 'bad' ? reply.reason : 'bad_reply'
    if (!sent) return { kind: 'not_sent', reason }
    // Behind a gateway exception 10 or 11 may hide a device that took the write and answered too late. 5 is "taken, not yet done".
    const refused = reason.startsWith('exception_') && reason !== 'exception_gateway' && reason !== 'exception_busy'
    return { kind: refused ? 'refused' : 'unknown', reason }
  }

  /** Whether an answer that was given up may still come and be taken for this one's: the request would have to wait. */
  isOwed(request: Request): boolean {
    return this.#owed.until(expectedOf(request), performance.now()) > 0
  }

  /** A bus behind a DTU is up once that has dialled in. */
  get isUp(): boolean {
    return !this.#closed && this.#line.state === 'open'
  }

  get stats(): BusStats {
    return { ...this.#stats }
  }

  close(): void {
    this.#closed = true
    if (this.#wake) clearTimeout(this.#wake)
    this.#line.close()
    this.#settle(bad('not_connected'))
    for (const job of this.#queue.splice(0)) job.settle(bad('not_connected'), false)
  }

  async #ask(request: Request, turn = IN_TURN): Promise<{ reply: Reply; sent: boolean }> {
    return await new Promise((resolve) => {
      const job: Job = { request, stillWanted: turn.stillWanted, settle: (reply, sent) => resolve({ reply, sent }) }
      const behind = turn.first ? 0 : isWrite(request) ? this.#queue.findIndex((j) => !isWrite(j.request)) : -1
      if (behind >= 0) this.#queue.splice(behind, 0, job)
      else this.#queue.push(job)
      void this.#pump()
    })
  }

  async #pump(): Promise<void> {
    if (this.#pending || this.#pumping) return
    this.#pumping = true
    try {
      if (this.#line.state === 'opening') await this.#line.opened()
    } finally {
      this.#pumping = false
    }
    if (this.#closed || this.#line.state === 'down') {
      for (const job of this.#queue.splice(0)) job.settle(bad('not_connected'), false)
      return
    }
    const now = performance.now()
    const next = this.#queue.findIndex((job) => this.#owed.until(expectedOf(job.request), now) === 0)
    const wait = next < 0 ? this.#owed.soonest(now) : this.#lastByteAt + this.#pauseMs - now
    if (this.#queue.length === 0) return
    if (next < 0 || wait > 0) {
      if (this.#wake) clearTimeout(this.#wake)
      this.#wake = setTimeout(() => void this.#pump(), Math.max(1, wait))
      return
    }
    const [job] = this.#queue.splice(next, 1)
    if (!job) return
    if (job.stillWanted()) this.#send(job)
    else {
      job.settle(bad('not_connected'), false)
      void this.#pump()
    }
  }

  #send(job: Job): void {
    const { request } = job
    const expected = expectedOf(request)
    const bytes = this.#framing.encode(request.unit, pduOf(request))
    if (this.#framing.kind === 'rtu') this.#received = Buffer.alloc(0)
    const wait_ms = this.#settings.timeout_ms + this.#line.wireMs(bytes.length + expected.pduBytes + 3)
    this.#stats.requests += 1
    this.#pending = { job, expected, timer: setTimeout(() => this.#timedOut(), wait_ms), heard: false }
    this.#line.send(bytes)
  }

  #timedOut(): void {
    if (!this.#pending) return
    const { job, expected, heard } = this.#pending
    this.#log.debug({ unit: job.request.unit, address: job.request.address }, 'no reply in time')
    this.#stats.timeouts += 1
    this.#owed.owe(expected, performance.now())
    if (heard) this.#silentTimeouts = 0
    else this.#silentTimeouts += 1
    this.#settle(bad(heard && this.#framing.kind === 'rtu' ? 'bad_reply' : 'timeout'))
    if (this.#silentTimeouts < SILENT_TIMEOUTS) return
    this.#silentTimeouts = 0
    this.#renew()
  }

  #take(bytes: Buffer): void {
    this.#lastByteAt = performance.now()
    if (this.#pending) this.#pending.heard = true
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    for (;;) {
      const found = this.#framing.take(this.#received, this.#pending?.expected ?? null)
      switch (found.kind) {
        case 'incomplete':
          this.#received = found.rest
          if (found.damaged) this.#giveUpWhenQuiet()
          return
        case 'garbage':
          this.#distrust()
          return
        case 'foreign':
          this.#received = found.rest
          this.#stats.foreign_frames += 1
          break
        case 'reply':
          this.#received = found.rest
          if (this.#isContradicted(found) || !this.#answer(found.unit, found.pdu)) return
          break
        default:
          assertNever(found)
      }
    }
  }

  /** Two answers to one RTU request, and not the same: one of them is another's, and nobody can say which. */
  #isContradicted({ pdu, rest }: Extract<Found, { kind: 'reply' }>): boolean {
    if (this.#framing.kind === 'tcp' || rest.length === 0 || !this.#pending) return false
    const again = this.#framing.take(rest, this.#pending.expected)
    if (again.kind !== 'reply' || again.pdu.equals(pdu)) return false
    this.#distrust()
    return true
  }

  /** @returns false when the frame shows that this connection can't be trusted. */
  #answer(unit: number, pdu: Buffer): boolean {
    if (!this.#pending) return true
    const { request } = this.#pending.job
    const reply = unit === request.unit ? readPdu(pdu, request) : bad('bad_reply')
    if (reply.kind === 'bad' && reply.reason === 'bad_reply') {
      this.#distrust()
      return false
    }
    this.#silentTimeouts = 0
    this.#settle(reply)
    return true
  }

  #giveUpWhenQuiet(): void {
    if (this.#quiet) clearTimeout(this.#quiet)
    const quiet_ms = this.#settings.transport === 'serial' ? QUIET_MS.wire : QUIET_MS.network
    this.#quiet = setTimeout(() => this.#distrust(), quiet_ms)
  }

  #distrust(): void {
    this.#stats.bad_replies += 1
    this.#received = Buffer.alloc(0)
    // The damaged one may have been another: then the right one is still to come.
    if (this.#pending) this.#owed.owe(this.#pending.expected, performance.now())
    this.#settle(bad('bad_reply'))
    if (this.#framing.kind === 'rtu') return
    this.#log.warn('the reply is not a Modbus TCP reply to the request; connecting anew')
    this.#renew()
  }

  #renew(): void {
    this.#received = Buffer.alloc(0)
    this.#line.renew()
  }

  #lost(): void {
    this.#received = Buffer.alloc(0)
    this.#silentTimeouts = 0
    this.#settle(bad('not_connected'))
    void this.#pump()
  }

  #settle(reply: Reply): void {
    const pending = this.#pending
    if (!pending) return
    clearTimeout(pending.timer)
    if (this.#quiet) clearTimeout(this.#quiet)
    this.#quiet = null
    this.#pending = null
    pending.job.settle(reply, true)
    if (!this.#closed) void this.#pump()
  }
}
