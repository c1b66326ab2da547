import type { UnixMs } from '#contract/units.ts'
import { encodeRaw } from '../encode.ts'
import { ModbusException } from '../modbus-exception.ts'

/** What a sensor senses, in SI. */
export type Sensed = {
  /** Water above the structure's datum. */
  readonly level_m: number
  readonly velocity_m_s: number
  readonly flow_m3_s: number
  readonly total_m3: number
  readonly temperature_c: number
  readonly battery_v: number
}

export type Space = 'holding' | 'input'
/** Registers that exist, by address. */
export type Registers = Map<number, number>

/** A sensor as its manual describes it: registers made of what it senses, and what it does that others don't. Written without looking at its profile. */
export type Sensor = {
  /** Name of the profile that reads it. */
  readonly profile: string
  /** Puts what it shows into its registers. */
  readonly show: (sensed: Sensed, put: Put) => void
  /** Addresses that exist beside those that are shown; they hold 0. Every other is refused. */
  readonly zeros?: readonly { readonly space: Space; readonly from: number; readonly to: number }[]
  readonly longest?: number
  /** A read that reaches over one of these addresses is refused. */
  readonly borders?: readonly number[]
}
export type Put = (
  space: Space,
  address: number,
  type: Parameters<typeof encodeRaw>[1]['type'],
  raw: number,
  order?: 'ABCD' | 'CDAB' | 'BADC' | 'DCBA',
) => void

/** What the sensor holds when it senses this. */
export function registersOfSensor({ show, zeros = [] }: Sensor, sensed: Sensed): Record<Space, Registers> {
  const image: Record<Space, Registers> = { holding: new Map(), input: new Map() }
  for (const { space, from, to } of zeros) for (let a = from; a <= to; a++) image[space].set(a, 0)
  show(sensed, (space, address, type, raw, order = 'ABCD') => {
    for (const [i, word] of encodeRaw(raw, { type, order }).entries()) image[space].set(address + i, word)
  })
  return image
}

/** @throws ModbusException as the sensor refuses. */
export function readSensor(
  sensor: Sensor,
  image: Record<Space, Registers>,
  { space, address, length }: { space: Space; address: number; length: number },
): number[] {
  if (length > (sensor.longest ?? 125))
    throw new ModbusException('illegalValue', `${length} registers are more than the device gives at once`)
  if (sensor.borders?.some((b) => address < b && b < address + length)) {
    throw new ModbusException('illegalAddress', 'the read reaches over a border of two zones')
  }
  return Array.from({ length }, (_, i) => {
    const word = image[space].get(address + i)
    if (word === undefined) throw new ModbusException('illegalAddress', `register ${address + i} does not exist`)
    return word
  })
}

export type SensorAt = (t: UnixMs) => Sensed
