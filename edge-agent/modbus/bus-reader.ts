import { type BadReason, bad, type Reading } from '#contract/reading.ts'
import type { Bus, BusReply } from './bus.ts'
import { type Device, isSilence, readDevice } from './device.ts'
import type { ReadRequest } from './request.ts'
import { type Asked, SilentUnits } from './silent-units.ts'

type BusReaderDeps = {
  readonly bus: Pick<Bus, 'read' | 'isOwed'>
  readonly timeout_ms: number
  /** A clock that no one sets, in ms. */
  readonly elapsed: () => number
}

/** Reads the devices of one bus, none at the cost of the others. */
export class BusReader {
  readonly #deps: BusReaderDeps
  readonly #silent: SilentUnits
  /** Why who is not asked now gives no value. */
  readonly #reasons = new Map<string, BadReason>()

  constructor(deps: BusReaderDeps) {
    this.#deps = deps
    this.#silent = new SilentUnits(deps.timeout_ms, deps.elapsed())
  }

  /** In which order to read them in this cycle. */
  inOrder(devices: readonly Device[]): Device[] {
    return this.#silent.inOrder(devices)
  }

  /** @returns a reading of every metric. A device that is left alone because it did not answer is BAD with the reason that it had. */
  async read(device: Device): Promise<ReadonlyMap<string, Reading>> {
    const { unit } = device
    if (!this.#silent.mayAsk({ unit }, this.#deps.elapsed())) {
      const reading = bad(this.#reasonOf({ unit }))
      return new Map(device.metrics.map((metric) => [metric, reading]))
    }
    let answers = 0
    return await readDevice(device, async (request) => {
      const reply = await this.#ask(answers === 0 ? { unit } : { unit, block: `${request.space} ${request.address}` }, request)
      if (!isSilence(reply)) answers += 1
      return reply
    })
  }

  async #ask(asked: Asked, request: ReadRequest): Promise<BusReply> {
    const { bus, elapsed } = this.#deps
    const before = elapsed()
    // To wait until a late answer is no longer to be feared would hold up the others.
    if (bus.isOwed(request) || !this.#silent.mayAsk(asked, before)) return { kind: 'bad', reason: this.#reasonOf(asked) }
    const reply = await bus.read(request)
    if (reply.kind === 'bad') this.#reasons.set(nameOf(asked), reply.reason)
    if (!isSilence(reply)) this.#silent.answered(asked)
    // Without a connection there is nobody whose time it costs, and it says nothing of the unit.
    else if (reply.kind === 'bad' && reply.reason !== 'not_connected') this.#silent.silent(asked, elapsed() - before, elapsed())
    return reply
  }

  #reasonOf(asked: Asked): BadReason {
    return this.#reasons.get(nameOf(asked)) ?? 'timeout'
  }
}

const nameOf = ({ unit, block = '' }: Asked): string => `${unit} ${block}`
