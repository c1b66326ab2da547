import { randomInt } from 'node:crypto'
import type { DeviceProfile } from '#contract/profile.ts'
import type { Bus, WriteOutcome, WriteTurn } from '../modbus/bus.ts'

/** A leaf's command registers, by the profile: set-point and command first, the sequence number last. */

export type LeafRegisters = { readonly unit: number; readonly setpoint: number; readonly command: number; readonly sequence: number }
export const LEAF_ORDERS = { open: 1, close: 2, stop: 3, go: 4 } as const
export type LeafOrder = { readonly order: keyof typeof LEAF_ORDERS; readonly setpoint_mm: number }

/** @param leaf counts from 0. @returns null where the device can't be commanded. */
export function leafRegisters(profile: DeviceProfile, unit: number, leaf: number): LeafRegisters | null {
  if (!profile.leaf) return null
  const first = profile.leaf.first_address + leaf * profile.leaf.stride
  const { setpoint_mm, command, sequence } = profile.leaf.command
  return { unit, setpoint: first + setpoint_mm, command: first + command, sequence: first + sequence }
}

type Writer = Pick<Bus, 'write'>
/** The sequence number is what carries an order out when it changes: it starts anywhere, since only the change counts. */
export class LeafDrive {
  readonly #bus: Writer
  readonly #registers: LeafRegisters
  #sequence = randomInt(0x1_0000)

  constructor(bus: Writer, registers: LeafRegisters) {
    this.#bus = bus
    this.#registers = registers
  }

  async order({ order, setpoint_mm }: LeafOrder, turn: WriteTurn): Promise<WriteOutcome> {
    const { unit, setpoint, command, sequence } = this.#registers
    this.#sequence = (this.#sequence + 1) & 0xffff
    const [code, number] = [LEAF_ORDERS[order], this.#sequence]
    if (command === setpoint + 1 && sequence === setpoint + 2) {
      return await this.#bus.write({ unit, address: setpoint, write: 'registers', values: [setpoint_mm, code, number] }, turn)
    }
    const parts = [
      { address: setpoint, value: setpoint_mm },
      { address: command, value: code },
      { address: sequence, value: number },
    ]
    let outcome: WriteOutcome = { kind: 'not_sent', reason: 'not_connected' }
    for (const part of parts) {
      outcome = await this.#bus.write({ unit, write: 'register', ...part }, turn)
      if (outcome.kind !== 'written') return outcome
    }
    return outcome
  }
}
