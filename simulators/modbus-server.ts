import { createServer } from 'node:net'
import { ServerTCP } from 'modbus-serial'
import type { Logger } from 'pino'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'
import { ModbusException } from './modbus-exception.ts'

/** What answers behind a server. Each call is one request, or throws a ModbusException. */
export type ModbusUnits = {
  read(unit: number, fc: 3 | 4, range: { readonly address: number; readonly length: number }): readonly number[]
  write(unit: number, address: number, words: readonly number[]): void
}
export type ModbusServer = { readonly port: number; close(): Promise<void> }

const FREE_PORT_TRIES = 20

/** Serves `units` on Modbus TCP. Port 0 takes a free one. @throws Fault PORT_TAKEN or ADDRESS_REFUSED. */
export async function openModbusServer(
  at: { readonly host: string; readonly port: number },
  units: ModbusUnits,
  logger: Logger,
): Promise<ModbusServer> {
  for (let tries = 1; ; tries++) {
    // modbus-serial takes port 0 for "not given", which is 502.
    const port = at.port === 0 ? await findFreePort(at.host) : at.port
    try {
      return await listen({ host: at.host, port }, units, logger)
    } catch (error) {
      const taken = systemCode(error) === 'EADDRINUSE'
      if (!taken || at.port !== 0 || tries === FREE_PORT_TRIES)
        throw taken ? portTaken(at.host, port, error) : refused(at.host, port, error)
    }
  }
}

async function listen(at: { host: string; port: number }, units: ModbusUnits, logger: Logger): Promise<ModbusServer> {
  // The number of parameters tells modbus-serial that these answer at once: one more would be a callback.
  const server = new ServerTCP(
    {
      getHoldingRegister: (address: number, unit: number): number => units.read(unit, 3, { address, length: 1 })[0] ?? 0,
      getMultipleHoldingRegisters: (address: number, length: number, unit: number): number[] => [
        ...units.read(unit, 3, { address, length }),
      ],
      getInputRegister: (address: number, unit: number): number => units.read(unit, 4, { address, length: 1 })[0] ?? 0,
      getMultipleInputRegisters: (address: number, length: number, unit: number): number[] => [...units.read(unit, 4, { address, length })],
      setRegister: (address: number, value: number, unit: number): void => units.write(unit, address, [value]),
      setRegisterArray: (address: number, values: number[], unit: number): void => units.write(unit, address, values),
      // A function without a handler would get no answer at all.
      getCoil: (_address: number, _unit: number): boolean => refuseFunction(),
      getDiscreteInput: (_address: number, _unit: number): boolean => refuseFunction(),
      setCoil: (_address: number, _value: boolean, _unit: number): void => refuseFunction(),
    },
    at,
  )
  await new Promise<void>((resolve, reject) => {
    server.once('initialized', () => resolve())
    server.once('serverError', (error) => reject(error ?? new Error('the server did not start')))
  })
  server.on('serverError', (error) => logger.error({ err: error, ...at }, 'simulated Modbus server'))
  // Clients are killed in tests and drills: a reset is no news.
  server.on('socketError', (error) => logger.debug({ err: error, ...at }, 'simulated Modbus connection'))
  return { port: at.port, close: () => new Promise((resolve) => server.close(() => resolve())) }
}

function refuseFunction(): never {
  throw new ModbusException('illegalFunction', 'the device has registers only')
}

async function findFreePort(host: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => reject(refused(host, 0, error)))
    probe.listen(0, host, () => {
      const address = probe.address()
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

const portTaken = (host: string, port: number, cause: unknown): Fault =>
  new Fault('PORT_TAKEN', `port ${port} on ${host} is in use`, 'choose another base port for the simulators, or 0 for free ones', { cause })
const refused = (host: string, port: number, cause: unknown): Fault =>
  new Fault(
    'ADDRESS_REFUSED',
    `${host}:${port} can't be opened: ${messageOf(cause)}`,
    'choose an address of this machine and a port above 1023',
    {
      cause,
    },
  )
