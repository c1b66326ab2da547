/** Exception codes of the Modbus Application Protocol V1.1b3, section 7. */
export const EXCEPTIONS = { illegalFunction: 1, illegalAddress: 2, illegalValue: 3, noSuchUnit: 11 } as const

/** Thrown by a device, answered to the client by its code. */
export class ModbusException extends Error {
  override readonly name = 'ModbusException'
  readonly code: number
  constructor(exception: keyof typeof EXCEPTIONS, what: string) {
    super(what)
    this.code = EXCEPTIONS[exception]
  }
}
