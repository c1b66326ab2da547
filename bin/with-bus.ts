import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Bus, type BusAddress } from '#edge-agent/modbus/bus.ts'
import { DtuListeners } from '#edge-agent/modbus/line/dtu-listener.ts'

/** DTUs dial again after a pause of their own: half a minute is usual, a minute is not rare. */
const DIAL_IN_MS = 120_000
const LOOK_MS = 100

export type WithBusDeps = {
  readonly log: Logger
  readonly signal?: AbortSignal
  /** What is waited for, for the person. */
  readonly waiting: (text: string) => void
}

/**
 * Opens a bus for a hand tool. Where a DTU dials in it is waited for; one that does not come leaves every read `not_connected`.
 * @throws Fault PORT_TAKEN, ADDRESS_REFUSED
 */
export async function withBus<T>(address: BusAddress, { log, signal, waiting }: WithBusDeps, use: (bus: Bus) => Promise<T>): Promise<T> {
  const listeners = new DtuListeners(log)
  const bus = Bus.open(address, log, listeners)
  try {
    await listeners.listening()
    if (address.transport === 'dtu') {
      const at = `${address.listen_host}:${address.listen_port}`
      const until = Date.now() + DIAL_IN_MS
      while (!bus.isUp && Date.now() < until && !signal?.aborted) {
        waiting(`waiting for the DTU to dial in to ${at}, at most ${Math.ceil((until - Date.now()) / 1000)} s`)
        await sleep(LOOK_MS)
      }
      waiting('')
    }
    return await use(bus)
  } finally {
    bus.close()
  }
}

const HAND_TIMEOUT_MS = 500
/** A reply that crosses a mobile network takes a second, and often two. */
const MOBILE_TIMEOUT_MS = 3000

/** So long a unit that is there takes at most to answer a scan, in ms. */
export const scanTimeoutMs = ({ transport }: Pick<BusAddress, 'transport'>): number =>
  transport === 'dtu' ? MOBILE_TIMEOUT_MS : HAND_TIMEOUT_MS
