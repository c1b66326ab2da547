import type { Sensor } from './register-device.ts'

/**
 * The sensors of the field, each from its manual (the profile of its name in edge-agent/profiles names it), not from its profile: so that a profile is
 * tested against something that does not agree with it by itself.
 */

/** How high a sensor that looks down on the water hangs above the datum. */
export const MOUNTED_M = 4.5

const cykLudp: Sensor = {
  profile: 'cyk-ludp',
  zeros: [
    { space: 'holding', from: 0x00, to: 0x0f },
    { space: 'holding', from: 0x10, to: 0x5f },
  ],
  borders: [0x10, 0x22, 0x5c],
  show: ({ level_m }, put) => put('holding', 0, 'sign_magnitude16', level_m * 100),
}

const ulm53l: Sensor = {
  profile: 'ulm-53l',
  zeros: [
    { space: 'holding', from: 100, to: 110 },
    { space: 'holding', from: 200, to: 204 },
  ],
  show: ({ level_m, temperature_c }, put) => {
    put('holding', 100, 'uint16', (MOUNTED_M - level_m) * 1000)
    put('holding', 101, 'uint16', level_m * 1000)
    put('holding', 103, 'int16', temperature_c)
    // Nothing to hear below the face of the meter, and more than its range away.
    const [high, low] = [level_m > MOUNTED_M - 0.2, level_m < 0]
    put('holding', 104, 'uint16', Number(!high && !low) | (Number(high) << 1) | (Number(low) << 2))
  },
}

const fts300wl: Sensor = {
  profile: 'fts-300wl',
  zeros: [{ space: 'holding', from: 0, to: 0x2e }],
  show: ({ level_m, velocity_m_s, flow_m3_s, temperature_c }, put) => {
    put('holding', 0x03, 'uint16', velocity_m_s * 1000)
    put('holding', 0x04, 'uint16', velocity_m_s * 1000)
    put('holding', 0x10, 'uint16', flow_m3_s * 1000)
    put('holding', 0x14, 'uint16', 1)
    put('holding', 0x15, 'uint16', (MOUNTED_M - level_m) * 100)
    put('holding', 0x27, 'uint16', temperature_c)
    put('holding', 0x2d, 'uint16', 1)
    put('holding', 0x2e, 'uint16', 1)
  },
}

const sommerUsh9: Sensor = {
  profile: 'sommer-ush9',
  zeros: [{ space: 'input', from: 0, to: 45 }],
  show: ({ level_m, temperature_c }, put) => {
    put('input', 18, 'float32', 12)
    put('input', 20, 'float32', 48)
    put('input', 38, 'float32', (MOUNTED_M - level_m) * 1000)
    put('input', 42, 'float32', temperature_c)
    put('input', 44, 'float32', 0)
    put('input', 65_533, 'uint16', 3201)
  },
}

const FOOT_M = 0.3048
const ysiH3553t: Sensor = {
  profile: 'ysi-h3553t',
  zeros: [{ space: 'holding', from: 0, to: 40 }],
  show: ({ level_m, temperature_c, battery_v }, put) => {
    put('holding', 29, 'float32', level_m / FOOT_M)
    put('holding', 31, 'float32', level_m * 1.42)
    put('holding', 33, 'float32', temperature_c)
    put('holding', 35, 'float32', battery_v)
    put('holding', 37, 'float32', 25)
    put('holding', 39, 'float32', battery_v)
  },
}

/** The manual counts from 1: REG0001 is address 0. Words of 32-bit values come low first. */
const tuf2000: Sensor = {
  profile: 'tuf-2000',
  zeros: [
    { space: 'holding', from: 0, to: 99 },
    { space: 'holding', from: 1436, to: 1440 },
  ],
  show: ({ flow_m3_s, velocity_m_s, total_m3 }, put) => {
    put('holding', 0, 'float32', flow_m3_s * 3600, 'CDAB')
    put('holding', 4, 'float32', velocity_m_s, 'CDAB')
    // Counted in units of 10 m³: unit 0 is m³, multiplier 4 is 10^(4−3).
    put('holding', 8, 'long_float', total_m3 / 10, 'CDAB')
    put('holding', 1437, 'uint16', 0)
    put('holding', 1438, 'uint16', 4)
  },
}

const nivusonic: Sensor = {
  profile: 'nivusonic',
  zeros: [{ space: 'input', from: 1, to: 48 }],
  show: ({ flow_m3_s, level_m, velocity_m_s, temperature_c }, put) => {
    put('input', 1, 'int16', flow_m3_s * 1000)
    put('input', 2, 'int16', level_m * 1000)
    put('input', 3, 'int16', velocity_m_s * 1000)
    put('input', 4, 'int16', temperature_c * 100)
  },
}

/** Set to little endian by bytes, millimetres and Fahrenheit: as somebody may have left it. */
const encardioEsm12s: Sensor = {
  profile: 'encardio-esm12s',
  zeros: [
    { space: 'holding', from: 0xd8, to: 0xe0 },
    { space: 'holding', from: 0x12c, to: 0x131 },
  ],
  show: ({ level_m, temperature_c }, put) => {
    put('holding', 0xd8, 'uint16', 1)
    put('holding', 0xd9, 'uint16', 1)
    put('holding', 0xe0, 'uint16', 0)
    put('holding', 0x12d, 'float32', level_m * 1000, 'DCBA')
    put('holding', 0x130, 'float32', temperature_c * 1.8 + 32, 'DCBA')
  },
}

export const SENSORS: readonly Sensor[] = [cykLudp, ulm53l, fts300wl, sommerUsh9, ysiH3553t, tuf2000, nivusonic, encardioEsm12s]
