import { openingOfLeaf } from '#contract/metrics.ts'
import { type DeviceProfile, registersOf } from '#contract/profile.ts'
import type { UnixMs } from '#contract/units.ts'
import { readSensor, registersOfSensor, type Sensed, type Sensor, type SensorAt } from './devices/register-device.ts'
import type { GateRtu } from './gate-rtu.ts'
import { ModbusException } from './modbus-exception.ts'
import type { ReadRequest } from './modbus-request.ts'
import { imageOf, type RtuState } from './register-map.ts'

/** A leaf that does not move since `from`; leaf 0 is the first, all where it is left out. */
export type Jam = { readonly leaf?: number; readonly from: UnixMs }

/** One unit on a simulated line: a gate controller or a sensor. */
export type ServedDevice = {
  readonly profile: DeviceProfile
  state(t: UnixMs): RtuState
  /** @param served the profile by which it answers now, which faults may have changed. @throws ModbusException */
  words(state: RtuState, served: DeviceProfile, request: ReadRequest): readonly number[]
  /** From now on these are jammed, and no other: a sensor has nothing that could be. */
  hold(jams: readonly Jam[], t: UnixMs): void
  /** @throws ModbusException */
  write(address: number, words: readonly number[], t: UnixMs): void
}

export function gateDevice(rtu: GateRtu, profile: DeviceProfile): ServedDevice {
  return {
    profile,
    state: (t) => rtu.state(t),
    words: (state, served, { fc, address, length }) => {
      if (length > profile.max_words)
        throw new ModbusException('illegalValue', `${length} registers are more than the device gives at once`)
      const image = imageOf(served, state)
      const space = fc === 3 ? image.holding : image.input
      if (address + length > space.length) throw new ModbusException('illegalAddress', `register ${address + length - 1} does not exist`)
      return space.slice(address, address + length)
    },
    hold: (jams, t) => rtu.hold(jams, t),
    write: (address, words, t) => rtu.write(address, words, t),
  }
}

export function sensorDevice(sensor: Sensor, profile: DeviceProfile, sense: SensorAt): ServedDevice {
  return {
    profile,
    state: (t) => ({ values: valuesOf(sense(t)), leaves: [] }),
    words: (state, served, { fc, address, length }) => {
      const image = registersOfSensor(sensor, sensedOf(state))
      for (const [i, point] of served.points.entries()) {
        // A fault exchanged the words of this one.
        if (point.order === profile.points[i]?.order || point.space === 'coil' || point.space === 'discrete') continue
        const registers = image[point.space]
        const addresses = Array.from({ length: registersOf(point.type) }, (_, k) => point.address - profile.address_base + k)
        const held = addresses.map((a) => registers.get(a) ?? 0).reverse()
        for (const [k, a] of addresses.entries()) registers.set(a, held[k] ?? 0)
      }
      return readSensor(sensor, image, { space: fc === 3 ? 'holding' : 'input', address, length })
    },
    hold: () => undefined,
    write: () => {
      throw new ModbusException('illegalAddress', 'a sensor has nothing to write here')
    },
  }
}

/** @returns whether the device shows this metric, and of which type. */
export function pointOf(
  { profile, leaves }: { readonly profile: DeviceProfile; readonly leaves: number },
  metric: string,
  leaf: number | undefined,
) {
  const points = leaf === undefined ? profile.points : leaf <= leaves ? (profile.leaf?.points ?? []) : []
  return points.find((p) => p.metric === (leaf === undefined ? metric : openingOfLeaf(1)))
}

const METRIC: Readonly<Record<keyof Sensed, string>> = {
  level_m: 'level_up',
  velocity_m_s: 'velocity',
  flow_m3_s: 'flow',
  total_m3: 'volume_total',
  temperature_c: 'temperature',
  battery_v: 'battery',
}
const SENSES = Object.keys(METRIC) as (keyof Sensed)[]
const valuesOf = (sensed: Sensed): Record<string, number> => Object.fromEntries(SENSES.map((key) => [METRIC[key], sensed[key]]))
const sensedOf = ({ values }: RtuState): Sensed => ({
  level_m: values['level_up'] ?? Number.NaN,
  velocity_m_s: values['velocity'] ?? Number.NaN,
  flow_m3_s: values['flow'] ?? Number.NaN,
  total_m3: values['volume_total'] ?? Number.NaN,
  temperature_c: values['temperature'] ?? Number.NaN,
  battery_v: values['battery'] ?? Number.NaN,
})
