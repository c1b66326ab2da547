import { createHash } from 'node:crypto'
import { Secret } from 'otpauth'

const HOW_MANY = 10
const BYTES = 10

/** Codes for whoever has lost the phone, each good once: 80 random bits, written XXXX-XXXX-XXXX-XXXX. */
export const makeRecoveryCodes = (): string[] =>
  Array.from({ length: HOW_MANY }, () => new Secret({ size: BYTES }).base32.replace(/(.{4})(?=.)/g, '$1-'))

/** What the registry keeps of one. However it is typed: in small letters, with spaces, without strokes. */
export const hashRecoveryCode = (code: string): string =>
  createHash('sha256')
    .update(code.toUpperCase().replaceAll(/[^A-Z2-7]/g, ''))
    .digest('hex')
