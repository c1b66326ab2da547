import type { Logger } from 'pino'
import type { SerialPort } from 'serialport'
import { messageOf } from '#contract/fault.ts'
import type { Line, LineEvents } from './line.ts'
import { LineLife } from './line-life.ts'

export const PARITIES = ['none', 'even', 'odd'] as const
export type Parity = (typeof PARITIES)[number]
/** How characters go over the wire. Modbus RTU always has 8 data bits. */
export type SerialFormat = { readonly baud_rate: number; readonly parity: Parity; readonly stop_bits: 1 | 2 }
export type SerialAddress = SerialFormat & { readonly path: string }

/** @returns the bits of one character on the wire: start, data, parity, stop. */
export const bitsPerCharacter = ({ parity, stop_bits }: SerialFormat): number => 1 + 8 + (parity === 'none' ? 0 : 1) + stop_bits

/** MB serial §2.5.1.1: frames are 3.5 characters apart, and never less than 1.75 ms above 19200 bit/s. */
export function silenceMs(format: SerialFormat): number {
  return format.baud_rate > 19_200 ? 1.75 : (3.5 * bitsPerCharacter(format) * 1000) / format.baud_rate
}

/** A serial port of this machine. The port belongs to this process alone while it is open. */
export class SerialLine implements Line {
  readonly #address: SerialAddress
  readonly #events: LineEvents
  readonly #log: Logger
  readonly #life = new LineLife<SerialPort>(() => this.#open())

  private constructor(address: SerialAddress, events: LineEvents, log: Logger) {
    this.#address = address
    this.#events = events
    this.#log = log
  }

  static open(address: SerialAddress, events: LineEvents, log: Logger): SerialLine {
    const line = new SerialLine(address, events, log)
    line.#open()
    return line
  }

  get state(): Line['state'] {
    return this.#life.state
  }

  opened(): Promise<void> {
    return this.#life.opened()
  }

  send(bytes: Buffer): void {
    this.#life.connection?.write(bytes)
  }

  wireMs(bytes: number): number {
    return (bytes * bitsPerCharacter(this.#address) * 1000) / this.#address.baud_rate
  }

  /** A wire has no connection to renew. */
  renew(): void {
    this.#life.connection?.flush()
  }

  close(): void {
    const port = this.#life.close()
    if (port) this.#shut(port)
  }

  #open(): void {
    this.#life.begins(this.#attempt(), null)
  }

  async #attempt(): Promise<void> {
    try {
      const port = await openPort(this.#address)
      if (this.#life.isClosed) {
        this.#shut(port)
        return
      }
      port.on('data', (received: Buffer) => this.#events.bytes(received))
      port.on('error', (error) => this.#log.warn({ error: error.message }, 'serial port'))
      port.once('close', () => this.#lost('the port was closed'))
      this.#life.works()
      this.#life.isOpen(port)
      this.#log.info({ ...this.#address }, 'serial port open')
    } catch (error) {
      this.#lost(messageOf(error))
    }
  }

  #shut(port: SerialPort): void {
    port.removeAllListeners('close')
    port.close((error) => {
      if (error) this.#log.debug({ error: error.message }, 'serial port')
    })
  }

  #lost(error: string): void {
    if (this.#life.isClosed) return
    const wait_ms = this.#life.lost()
    if (this.#life.failures === 1)
      this.#log.warn({ path: this.#address.path, error, wait_ms }, 'serial port lost; trying again until it is back')
    this.#events.lost()
  }
}

/** The native binding is loaded by whoever has a serial line, and by nobody else. */
async function openPort({ path, baud_rate, parity, stop_bits }: SerialAddress): Promise<SerialPort> {
  const { SerialPort } = await import('serialport')
  return await new Promise((resolve, reject) => {
    const port = new SerialPort({ path, baudRate: baud_rate, dataBits: 8, parity, stopBits: stop_bits }, (error) =>
      error ? reject(error) : resolve(port),
    )
  })
}
