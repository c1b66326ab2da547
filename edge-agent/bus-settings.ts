import { type Static, Type } from 'typebox'
import { MAX_LEAVES } from '#contract/metrics.ts'
import { PointOverride } from '#contract/profile.ts'
import { ID_PATTERN } from '#contract/topics.ts'
import { StructureControl } from './command/settings.ts'
import { PACKET_PATTERN, packetBytes } from './modbus/line/packet.ts'
import { PARITIES, type Parity } from './modbus/line/serial-line.ts'

/** The part of a site's settings that says which devices there are and how they are reached. */

const closed = { additionalProperties: false } as const

const Device = Type.Object(
  {
    structure: Type.String({
      pattern: ID_PATTERN,
      description: 'Id of the gate structure; it is the Sparkplug device id. Several devices may belong to one structure',
    }),
    unit: Type.Integer({ minimum: 0, maximum: 255, description: 'Modbus unit identifier' }),
    profile: Type.String({ minLength: 1, description: 'Name of the device profile' }),
    leaves: Type.Integer({ minimum: 1, maximum: MAX_LEAVES, default: 1, description: 'Gate leaves of the structure' }),
    control: Type.Optional(StructureControl),
    points: Type.Optional(
      Type.Record(Type.String(), PointOverride, {
        description:
          'What is different here from the profile, by the profile’s metric: as, address, type, bit, order, scale, offset, calibration, range',
      }),
    ),
    omit: Type.Optional(Type.Array(Type.String(), { description: 'Metrics of the profile that are not read' })),
  },
  closed,
)
export type DeviceSettings = Static<typeof Device>

const timeout = (ms: number, description = 'Longest wait for one reply, in ms') =>
  Type.Integer({ minimum: 50, maximum: 600_000, default: ms, description })
const pause = (ms: number) =>
  Type.Integer({ minimum: 0, maximum: 60_000, default: ms, description: 'Least time from the end of one reply to the next request, in ms' })
const late = (ms: number) =>
  Type.Integer({
    minimum: 0,
    maximum: 600_000,
    default: ms,
    description:
      'How much later than timeout_ms an answer may still come, in ms: so long the unit that owes it is not asked again by the same function, because an RTU frame does not say which request it answers',
  })
const Packet = (description: string) => Type.String({ pattern: PACKET_PATTERN, description: `${description}: text, or hex: and its bytes` })
const heartbeat = Type.Optional(Packet('What the DTU sends by itself to keep the connection; it is taken out of the middle of a frame too'))

const common = {
  name: Type.String({ minLength: 1, description: 'Named in logs and figures' }),
  devices: Type.Array(Device, { minItems: 1, description: 'Read one after the other, never at the same time' }),
}
const TcpBus = Type.Object(
  {
    name: common.name,
    transport: Type.Literal('tcp', { default: 'tcp', description: 'Modbus TCP, to a device or a gateway' }),
    host: Type.String({ minLength: 1, description: 'Address of the Modbus TCP gateway or device' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535, default: 502, description: 'TCP port' }),
    timeout_ms: timeout(2000, 'Longest wait for a connection or for one reply, in ms; 5000 or more behind a GSM link'),
    pause_ms: pause(0),
    devices: common.devices,
  },
  closed,
)
const SerialBus = Type.Object(
  {
    name: common.name,
    transport: Type.Literal('serial', { description: 'Modbus RTU on a serial port of this machine' }),
    path: Type.String({ minLength: 1, description: 'Serial port; rather by /dev/serial/by-id/…, which stays the same' }),
    baud_rate: Type.Integer({ minimum: 300, maximum: 921_600, default: 9600, description: 'Bits per second' }),
    parity: Type.Unsafe<Parity>(
      Type.Enum([...PARITIES], { default: 'none', description: 'Parity bit; the data bits of Modbus RTU are always 8' }),
    ),
    stop_bits: Type.Unsafe<1 | 2>(Type.Enum([1, 2], { default: 1, description: 'Stop bits' })),
    timeout_ms: timeout(1000, 'Longest wait for the first byte of a reply, in ms; the time on the wire comes on top'),
    pause_ms: pause(0),
    late_ms: late(1000),
    devices: common.devices,
  },
  closed,
)
const RtuOverTcpBus = Type.Object(
  {
    name: common.name,
    transport: Type.Literal('rtu-over-tcp', {
      description: 'RTU frames over a TCP connection that the agent makes, to a serial server or a DTU',
    }),
    host: Type.String({ minLength: 1, description: 'Address of the serial server' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'TCP port' }),
    heartbeat,
    timeout_ms: timeout(5000),
    pause_ms: pause(20),
    late_ms: late(15_000),
    devices: common.devices,
  },
  closed,
)
const DtuBus = Type.Object(
  {
    name: common.name,
    transport: Type.Literal('dtu', { description: 'RTU frames over a TCP connection that a DTU makes: the agent listens' }),
    listen_host: Type.String({ minLength: 1, default: '127.0.0.1', description: 'Address of this machine that the DTU dials' }),
    listen_port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'TCP port that it dials; several buses may share one' }),
    registration: Type.Optional(Packet('What the DTU sends first to say which it is; needed where several dial the same port')),
    heartbeat,
    timeout_ms: timeout(5000),
    pause_ms: pause(20),
    late_ms: late(15_000),
    devices: common.devices,
  },
  closed,
)
export const Bus = Type.Union([TcpBus, SerialBus, RtuOverTcpBus, DtuBus], { discriminator: 'transport' })
export type BusSettings = Static<typeof Bus>

/** What the schema can't say of the buses. @returns each mistake in words. */
export function mistakesInBuses(buses: readonly BusSettings[]): string[] {
  const dtus = buses.filter((b) => b.transport === 'dtu')
  const ports = new Map<string, typeof dtus>()
  for (const dtu of dtus) ports.set(portOf(dtu), [...(ports.get(portOf(dtu)) ?? []), dtu])
  return [
    ...twice(
      'bus',
      buses.map((b) => b.name),
    ),
    ...twice(
      'serial port',
      buses.flatMap((b) => (b.transport === 'serial' ? [b.path] : [])),
    ),
    ...[...ports.values()].flatMap(mistakesAtPort),
  ]
}

const twice = (what: string, names: readonly string[]): string[] =>
  [...new Set(names.filter((name, i) => names.indexOf(name) !== i))].map((name) => `${what} ${name} stands twice`)

const portOf = (dtu: { listen_host: string; listen_port: number }): string => `${dtu.listen_host}:${dtu.listen_port}`

function mistakesAtPort(dtus: readonly Extract<BusSettings, { transport: 'dtu' }>[]): string[] {
  if (dtus.length === 1) return []
  return dtus.flatMap((dtu) => {
    if (dtu.registration === undefined) return [`bus ${dtu.name} shares its port and needs a registration, or nobody knows whose DTU dials`]
    const packet = packetBytes(dtu.registration)
    const other = dtus.find((d) => d !== dtu && d.registration !== undefined && packetBytes(d.registration).includes(packet))
    return other ? [`the registration of bus ${dtu.name} is part of that of bus ${other.name}: the two can't be told apart`] : []
  })
}
