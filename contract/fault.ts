/** Every fault that a person may be shown. `docs/faults.md` lists them; a test compares. */
export const FAULT_CODES = [
  'CONFIG_INVALID',
  'CONFIG_UNREADABLE',
  'PORT_TAKEN',
  'ADDRESS_REFUSED',
  'DISK_FULL',
  'DATA_CORRUPT',
  'DATA_IN_USE',
  'BROKER_UNREACHABLE',
  'HISTORY_UNREACHABLE',
  'REGISTRY_UNREACHABLE',
  'URL_UNSUPPORTED',
  'DISTRICT_INVALID',
  'PROFILE_INVALID',
  'NOT_FOUND',
  'NOT_ALLOWED',
  'NOT_SIGNED_IN',
  'SIGN_IN_REFUSED',
  'LOCKED_OUT',
  'CODE_NEEDED',
  'SECOND_FACTOR_NEEDED',
  'PASSWORD_CHANGE_NEEDED',
  'PASSWORD_TOO_WEAK',
  'BAD_REQUEST',
  'CONFLICT',
  'GATE_BUSY',
  'TAGGED_OUT',
  'CANAL_HELD',
  'SELECTION_OVER',
] as const
export type FaultCode = (typeof FAULT_CODES)[number]

/** A fault that a person must act on: what happened, where, and what to do next. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  readonly next: string
  constructor(code: FaultCode, message: string, next: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.next = next
  }
}

/** @returns the error's message, whatever was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message
  return typeof error === 'object' ? JSON.stringify(error) : String(error)
}

/** @returns the system error code (`EADDRINUSE`, `ENOSPC` …) of `error` or of a cause behind it, if there is one. */
export function systemCode(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    if ('code' in e && typeof e.code === 'string' && e.name !== 'Fault') return e.code
  }
  return undefined
}

/** Makes the compiler prove that every member of a union has been handled. */
export function assertNever(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`)
}
