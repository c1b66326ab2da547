/** A device that does to its answers whatever a bad line does, and a real bus that asks it. Who accepts a wrong value is found out by the values themselves. */
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { Bus, type BusAddress, type BusReply } from '#edge-agent/modbus/bus.ts'
import type { ReadRequest } from '#edge-agent/modbus/request.ts'
import { RTU_WIRE, TCP_WIRE, type Wire } from '#simulators/wire.ts'
import { seeded } from './random.ts'

export const FRAMINGS = ['tcp', 'rtu', 'rtu with heartbeats'] as const
export type FuzzedFraming = (typeof FRAMINGS)[number]

const TIMEOUT_MS = 25
const LATE_MS = 60
const HEARTBEAT = Buffer.from('PING')
/** Nobody waits for longer than a timeout, what may be owed before, and a new connection. */
const HANG_MS = 10_000

export type FuzzCounts = {
  /** Whole frames that the device sent, right or wrong. */
  frames: number
  reads: number
  right: number
  bad: number
  exceptions: number
  /** Wrong values that a check could have told: must be 0. */
  wrong: number
  /**
   * RTU only: an answer to an older request of the same unit, function and length, sent once more (or after `late_ms`) while this one was waited for, or
   * one that another unit sent under this one's number. No byte of it is wrong.
   */
  not_to_be_told: number
  hangs: number
}

/** Values that name their request: no two requests have the same. */
function truthOf({ unit, space, address, words }: ReadRequest): number[] {
  let h = Math.imul(unit + 1, 0x9e3779b1) ^ Math.imul(address + 1, 0x85ebca6b) ^ (space === 'input' ? 0x27d4eb2f : 0)
  return Array.from({ length: words }, () => {
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) + 0x165667b1
    return (h >>> 8) & 0xffff
  })
}

/** A whole frame, as it can be told from others. */
type Said = Pick<ReadRequest, 'unit' | 'space'> & { readonly words: readonly number[] }
const saidOf = (request: ReadRequest, unit = request.unit): Said => ({ unit, space: request.space, words: truthOf(request) })

type Asked = { readonly transaction: number; readonly request: ReadRequest }
const pduOf = ({ request }: Asked): Buffer => {
  const words = truthOf(request)
  const pdu = Buffer.alloc(2 + 2 * words.length)
  pdu.writeUInt8(request.space === 'holding' ? 3 : 4, 0)
  pdu.writeUInt8(2 * words.length, 1)
  for (const [i, word] of words.entries()) pdu.writeUInt16BE(word, 2 + 2 * i)
  return pdu
}

/** Asks one adversary `reads` times, each time for something else. */
export async function fuzz(
  framing: FuzzedFraming,
  { reads, seed }: { readonly reads: number; readonly seed: number },
): Promise<FuzzCounts> {
  const random = seeded(seed)
  const counts: FuzzCounts = { frames: 0, reads: 0, right: 0, bad: 0, exceptions: 0, wrong: 0, not_to_be_told: 0, hangs: 0 }
  const adversary = new Adversary(framing, random, counts)
  const port = await adversary.listen()
  const bus = Bus.open(addressOf(framing, port), pino({ level: 'silent' }))
  try {
    while ((await bus.read(requestAt(0, random))).kind === 'bad') await sleep(5)
    for (let n = 1; n <= reads; n++) {
      const request = requestAt(n, random)
      adversary.ask(request)
      const reply = await Promise.race([bus.read(request), sleep(HANG_MS, 'hang' as const)])
      counts.reads += 1
      if (reply === 'hang') counts.hangs += 1
      else judge(reply, request, { counts, adversary })
      if (reply !== 'hang' && reply.kind === 'bad' && reply.reason === 'not_connected') await sleep(5)
    }
    return counts
  } finally {
    bus.close()
    adversary.close()
  }
}

function judge(reply: BusReply, request: ReadRequest, { counts, adversary }: { counts: FuzzCounts; adversary: Adversary }): void {
  if (reply.kind === 'bad') {
    if (reply.reason.startsWith('exception')) counts.exceptions += 1
    else counts.bad += 1
  } else if (reply.words.every((word, i) => word === truthOf(request)[i]) && reply.words.length === request.words) counts.right += 1
  else if (adversary.wasCopied(request, reply.words)) {
    counts.not_to_be_told += 1
    // Its own answer is on its way still, and is now the next one's copy.
    adversary.isCopied(saidOf(request))
  } else {
    counts.wrong += 1
    process.stderr.write(`wrong: ${adversary.story(request, reply.words)}\n`)
  }
}

function requestAt(n: number, random: () => number): ReadRequest {
  const space = random() < 0.5 ? 'holding' : 'input'
  return { unit: 1 + Math.floor(random() * 3), space, address: n % 65_000, words: 1 + Math.floor(random() * 4) }
}

function addressOf(framing: FuzzedFraming, port: number): BusAddress {
  const common = { name: framing, host: '127.0.0.1', port, timeout_ms: TIMEOUT_MS, pause_ms: 0 }
  if (framing === 'tcp') return { ...common, transport: 'tcp' }
  const heartbeat = framing === 'rtu' ? {} : { heartbeat: HEARTBEAT.toString() }
  return { ...common, transport: 'rtu-over-tcp', late_ms: LATE_MS, ...heartbeat }
}

class Adversary {
  readonly #wire: Wire
  readonly #framing: FuzzedFraming
  readonly #random: () => number
  readonly #counts: FuzzCounts
  readonly #server = createServer({ noDelay: true }, (socket) => this.#meet(socket))
  readonly #sockets = new Set<Socket>()
  #before: Asked[] = []
  #asked: (Asked & { readonly at: number })[] = []
  #line: Promise<void> = Promise.resolve()
  /** What was sent once more, or under a false number, while another request was waited for. */
  #copied: Said[] = []
  #sent: { readonly at: number; readonly hex: string }[] = []

  constructor(framing: FuzzedFraming, random: () => number, counts: FuzzCounts) {
    this.#framing = framing
    this.#wire = framing === 'tcp' ? TCP_WIRE : RTU_WIRE
    this.#random = random
    this.#counts = counts
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    return address && typeof address === 'object' ? address.port : 0
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  ask(request: ReadRequest): void {
    this.#asked = [{ transaction: 0, request, at: performance.now() }, ...this.#asked].slice(0, 64)
  }

  isCopied(...frames: Said[]): void {
    this.#copied = [...frames, ...this.#copied].slice(0, 32)
  }

  /** For who wants to know how a wrong value came about. */
  story(request: ReadRequest, words: readonly number[]): string {
    const now = performance.now()
    const sent = this.#sent.map(({ at, hex }) => `${(at - now).toFixed(1)} ms ${hex}`)
    const of = this.#asked.find((a) => truthOf(a.request)[0] === words[0])
    const origin = of ? `the answer to ${JSON.stringify(of.request)} of ${(now - of.at).toFixed(1)} ms ago` : 'nobody’s answer'
    return `${JSON.stringify(request)} was given ${words.join()}, ${origin}; sent before: ${sent.join(', ')}`
  }

  wasCopied(request: ReadRequest, words: readonly number[]): boolean {
    if (this.#wire.kind === 'tcp') return false
    const says = (a: Said): boolean =>
      a.unit === request.unit && a.space === request.space && a.words.length === words.length && a.words.every((w, i) => w === words[i])
    // On a busy machine an answer may come when it is no longer feared: then it is as good as a copy.
    const feared_ms = TIMEOUT_MS + LATE_MS
    return this.#copied.some(says) || this.#asked.some((a) => says(saidOf(a.request)) && performance.now() - a.at > feared_ms)
  }

  #meet(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let heard: Buffer = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      const taken = this.#wire.take(Buffer.concat([heard, bytes]))
      heard = taken?.rest ?? Buffer.alloc(0)
      for (const { transaction, unit, pdu } of taken?.frames ?? []) {
        const space = pdu[0] === 3 ? 'holding' : 'input'
        const asked = { transaction, request: { unit, space, address: pdu.readUInt16BE(1), words: pdu.readUInt16BE(3) } } as const
        void this.#answer(socket, asked)
        this.#before = [asked, ...this.#before].slice(0, 4)
      }
    })
  }

  #frame(asked: Asked, change: { unit?: number; pdu?: Buffer } = {}): Buffer {
    this.#counts.frames += 1
    return this.#wire.encode({ transaction: asked.transaction, unit: change.unit ?? asked.request.unit, pdu: change.pdu ?? pduOf(asked) })
  }

  async #answer(socket: Socket, asked: Asked): Promise<void> {
    const right = this.#frame(asked)
    const one = Math.floor(this.#random() * 100)
    if (one < 30) return this.#send(socket, [right])
    if (one < 45) return this.#send(socket, this.#cut(right))
    if (one < 50) return this.#send(socket, [Buffer.concat([this.#garbage(), right])])
    if (one < 54) return this.#send(socket, [Buffer.concat([right, this.#garbage()])])
    if (one < 57) return this.#send(socket, this.#cut(this.#inTheMiddle(right, this.#garbage())))
    if (one < 62) return this.#send(socket, [...this.#copies(), right])
    if (one < 67) return this.#send(socket, [Buffer.concat([...this.#copies(), right])])
    if (one < 70) {
      this.isCopied(saidOf(asked.request))
      return this.#send(socket, [right, this.#frame(asked)])
    }
    if (one < 73) return this.#send(socket, this.#copies())
    if (one < 78) return this.#send(socket, [this.#damaged(right)])
    if (one < 80) {
      const unit = asked.request.unit + 1
      this.isCopied(saidOf(asked.request, unit))
      return this.#send(socket, [this.#frame(asked, { unit })])
    }
    if (one < 82) return this.#send(socket, [this.#frame(asked, { pdu: Buffer.concat([Buffer.from([16]), pduOf(asked).subarray(1)]) })])
    if (one < 84) return this.#send(socket, [this.#frame(asked, { pdu: pduOf({ ...asked, request: { ...asked.request, words: 5 } }) })])
    if (one < 87)
      return this.#send(socket, [this.#frame(asked, { pdu: Buffer.from([asked.request.space === 'holding' ? 0x83 : 0x84, 6]) })])
    if (one < 90) return
    if (one < 94) {
      // After the timeout, but before it is no longer waited for.
      await sleep(TIMEOUT_MS + 5 + this.#random() * (LATE_MS - 40))
      return this.#send(socket, [right])
    }
    if (this.#framing !== 'rtu with heartbeats') return this.#send(socket, [right])
    return this.#send(socket, this.#cut(this.#inTheMiddle(right, HEARTBEAT)))
  }

  /** One after the other: what a device says is never in the middle of what it says. */
  async #send(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
    this.#line = this.#line.then(() => this.#write(socket, pieces))
    await this.#line
  }

  async #write(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await sleep(this.#random() * 2)
      if (!socket.writable) return
      socket.write(piece)
      this.#sent = [...this.#sent, { at: performance.now(), hex: piece.toString('hex') }].slice(-8)
    }
  }

  /** One to three answers to earlier requests, once more. */
  #copies(): Buffer[] {
    const copies = this.#before.slice(1, 2 + Math.floor(this.#random() * 3))
    this.isCopied(...copies.map((asked) => saidOf(asked.request)))
    return copies.map((asked) => this.#frame(asked))
  }

  #garbage(): Buffer {
    return Buffer.from(Array.from({ length: 1 + Math.floor(this.#random() * 20) }, () => Math.floor(this.#random() * 256)))
  }

  /** Over Modbus TCP before the unit: behind it nothing but TCP itself guards the bytes. */
  #inTheMiddle(frame: Buffer, what: Buffer): Buffer {
    const at = 1 + Math.floor(this.#random() * ((this.#wire.kind === 'tcp' ? 6 : frame.length) - 1))
    return Buffer.concat([frame.subarray(0, at), what, frame.subarray(at)])
  }

  /** Two to six pieces. */
  #cut(frame: Buffer): Buffer[] {
    const cuts = Array.from({ length: 1 + Math.floor(this.#random() * 5) }, () => 1 + Math.floor(this.#random() * (frame.length - 1)))
    const edges = [0, ...cuts.sort((a, b) => a - b), frame.length]
    return edges.slice(1).map((end, i) => frame.subarray(edges[i], end))
  }

  /** One to three wrong bits; over Modbus TCP in the header, for TCP itself sums the rest. */
  #damaged(frame: Buffer): Buffer {
    const damaged = Buffer.from(frame)
    const bits = 8 * (this.#wire.kind === 'tcp' ? 9 : frame.length)
    for (let i = 0; i <= Math.floor(this.#random() * 3); i++) {
      const bit = Math.floor(this.#random() * bits)
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    }
    return damaged.equals(frame) ? frame : damaged
  }
}

/** Several adversaries at once, until they have sent so many frames. */
export async function fuzzAtLeast(
  framing: FuzzedFraming,
  { frames, seed, lines }: { readonly frames: number; readonly seed: number; readonly lines: number },
): Promise<FuzzCounts> {
  const sum: FuzzCounts = { frames: 0, reads: 0, right: 0, bad: 0, exceptions: 0, wrong: 0, not_to_be_told: 0, hangs: 0 }
  for (let round = 0; sum.frames < frames; round++) {
    const reads = Math.ceil(Math.min(2000, (frames - sum.frames) / lines / 1.3 + 10))
    const all = await Promise.all(Array.from({ length: lines }, (_, i) => fuzz(framing, { reads, seed: seed + round * lines + i })))
    for (const counts of all) for (const key of Object.keys(sum) as (keyof FuzzCounts)[]) sum[key] += counts[key]
  }
  return sum
}
