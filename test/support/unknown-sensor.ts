/** A sensor that nobody has a manual for, to practise on: `npx tsx test/support/unknown-sensor.ts`. Always the same, so that the guide can show it. */
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { ModbusException } from '#simulators/modbus-exception.ts'
import type { Frame } from '#simulators/modbus-frame.ts'
import { encodeFrame } from '#simulators/modbus-frame.ts'
import { exceptionReply, parseRequest, readReply } from '#simulators/modbus-request.ts'
import { type Answer, type ModbusServer, openModbusServer } from '#simulators/modbus-server.ts'
import { TCP_WIRE } from '#simulators/wire.ts'

export const UNKNOWN_SENSOR_PORT = 5020
const UNIT = 7
/** A serial number, the level 1.234 m as float32 with the low word first, the battery in hundredths of a volt, and what nobody knows. */
const REGISTERS = [0x0102, 0x2b67, 0, 0xf3b6, 0x3f9d, 1263, 0, 1, 0, 0]

function answerTo(frame: Frame): Answer {
  // Behind a gateway: who is not there is exception 11.
  const pdu = frame.unit === UNIT ? read(frame.pdu) : Buffer.from([(frame.pdu[0] ?? 0) | 0x80, 11])
  return { kind: 'send', segments: [encodeFrame({ ...frame, pdu })], gap_ms: 0, delay_ms: 0, leaving: () => undefined }
}

function read(pdu: Buffer): Buffer {
  try {
    const request = parseRequest(pdu)
    if (request.kind !== 'read' || request.fc !== 3) throw new ModbusException('illegalFunction', 'holding registers only')
    if (request.address + request.length > REGISTERS.length) throw new ModbusException('illegalAddress', 'beyond the last register')
    return readReply(request, REGISTERS.slice(request.address, request.address + request.length))
  } catch (error) {
    if (error instanceof ModbusException) return exceptionReply(pdu, error.code)
    throw error
  }
}

export const openUnknownSensor = (port: number): Promise<ModbusServer> =>
  openModbusServer({ host: '127.0.0.1', port }, () => answerTo, { wire: TCP_WIRE, logger: pino({ level: 'silent' }) })

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await openUnknownSensor(UNKNOWN_SENSOR_PORT)
  process.stdout.write(`an unknown sensor at tcp://127.0.0.1:${UNKNOWN_SENSOR_PORT}; its staff gauge shows 1.24 m; Ctrl-C ends it\n`)
}
