import { Secret, TOTP } from 'otpauth'
import type { UnixMs } from '#contract/units.ts'

/** Codes of the second factor by RFC 6238: SHA-1, six digits, 30 s, as every authenticator app takes them. */
const STEP_MS = 30_000
/** A phone's clock may be so many steps off. */
const WINDOW = 1
const ISSUER = 'Sluice'

const totpOf = (secret: string, login = ''): TOTP => new TOTP({ issuer: ISSUER, label: login, secret: Secret.fromBase32(secret) })

/** @returns 160 random bits, base32. */
export const newSecret = (): string => new Secret({ size: 20 }).base32

/** What the QR code holds. */
export const keyUri = (secret: string, login: string): string => totpOf(secret, login).toString()

/** @returns the step whose code this is, at most one off, or null. */
export function stepOf(secret: string, code: string, now: UnixMs): number | null {
  const delta = totpOf(secret).validate({ token: code, timestamp: now, window: WINDOW })
  return delta === null ? null : Math.floor(now / STEP_MS) + delta
}
