import { connect, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { SerialPort } from 'serialport'
import type { DeviceProfile } from '#contract/profile.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { SensorAt } from './devices/register-device.ts'
import { SENSORS } from './devices/sensors.ts'
import type { Faults } from './faults.ts'
import { openModbusServer, serve } from './modbus-server.ts'
import { swing } from './noise.ts'
import { sensorDevice } from './served-device.ts'
import { connectTo, type SiteDevices } from './site-devices.ts'
import type { ServedRead } from './truth.ts'
import { RTU_WIRE, TCP_WIRE } from './wire.ts'

/** Sensors on one line, by whatever transport they have in the field. */

export type LineAt =
  | { readonly transport: 'tcp' | 'rtu-over-tcp'; readonly host: string; readonly port: number }
  | { readonly transport: 'serial'; readonly path: string; readonly baud_rate: number; readonly parity: 'none' | 'even' | 'odd' }
  /** Dials in, says which it is, and strews its heartbeat into whatever it sends. */
  | {
      readonly transport: 'dtu'
      readonly host: string
      readonly port: number
      readonly registration: Buffer
      readonly heartbeat: Buffer
      readonly heartbeat_ms: number
    }

export type DeviceLineSettings = {
  /** Named as the site of its faults and in the truth. */
  readonly name: string
  readonly at: LineAt
  /** Unit 1, 2, … */
  readonly profiles: readonly DeviceProfile[]
  readonly sense: SensorAt
  readonly faults: Faults
}
export type DeviceLineDeps = { readonly now: () => number; readonly logger: Logger; readonly served?: (read: ServedRead) => void }
export type DeviceLine = { readonly port: number | null; close(): Promise<void> }

/** @throws Fault PORT_TAKEN, ADDRESS_REFUSED; Error where the serial port can't be opened or a profile has no sensor. */
export async function openDeviceLine({ name, at, profiles, sense, faults }: DeviceLineSettings, deps: DeviceLineDeps): Promise<DeviceLine> {
  const devices: SiteDevices = {
    site: name,
    wire: at.transport === 'tcp' ? TCP_WIRE : RTU_WIRE,
    units: profiles.map((profile) => {
      const sensor = SENSORS.find((s) => s.profile === profile.name)
      if (!sensor) throw new Error(`no sensor is simulated for profile ${profile.name}`)
      return { structure: profile.name, device: sensorDevice(sensor, profile, sense) }
    }),
    faults,
    now: () => unixMs(deps.now()),
    served: (read) => deps.served?.(read),
  }
  switch (at.transport) {
    case 'tcp':
    case 'rtu-over-tcp':
      return await openModbusServer(at, () => connectTo(devices), { wire: devices.wire, logger: deps.logger })
    case 'serial':
      return await openSerial(at, devices)
    case 'dtu':
      return openDtu(at, devices, deps.logger)
  }
}

async function openSerial(
  { path, baud_rate, parity }: Extract<LineAt, { transport: 'serial' }>,
  devices: SiteDevices,
): Promise<DeviceLine> {
  const port = await new Promise<SerialPort>((resolve, reject) => {
    const opened = new SerialPort({ path, baudRate: baud_rate, parity }, (error) => (error ? reject(error) : resolve(opened)))
  })
  serve(port, connectTo(devices), RTU_WIRE)
  return {
    port: null,
    close: () => new Promise((resolve, reject) => port.close((error) => (error ? reject(error) : resolve()))),
  }
}

function openDtu(at: Extract<LineAt, { transport: 'dtu' }>, devices: SiteDevices, logger: Logger): DeviceLine {
  let ended = false
  let socket: Socket | null = null
  let again: NodeJS.Timeout | undefined
  const dial = (): void => {
    const dialled = connect({ host: at.host, port: at.port, noDelay: true })
    socket = dialled
    const beat = setInterval(() => dialled.write(at.heartbeat), at.heartbeat_ms)
    dialled.once('connect', () => dialled.write(at.registration))
    dialled.on('error', (error) => logger.debug({ err: error }, 'simulated DTU'))
    dialled.once('close', () => {
      clearInterval(beat)
      if (!ended) again = setTimeout(dial, 200)
    })
    serve(dialled, connectTo(devices), RTU_WIRE)
  }
  dial()
  return {
    port: null,
    close: async () => {
      ended = true
      clearTimeout(again)
      socket?.destroy()
    },
  }
}

/** Water that swings about 1.6 m, the same for the same seed at the same time. */
export function swingingWater(seed: number): SensorAt {
  return (t: UnixMs) => {
    const wave = Math.sin(t / 60_000) + 0.1 * swing(seed, 'water', Math.floor(t / 1000))
    return {
      level_m: 1.6 + 0.2 * wave,
      velocity_m_s: 0.9 + 0.1 * wave,
      flow_m3_s: 12 + 2 * wave,
      total_m3: Math.floor(t / 1000) % 10_000_000,
      temperature_c: 15 + wave,
      battery_v: 12.6,
    }
  }
}
