import { createHmac, timingSafeEqual } from 'node:crypto'
import { type SealPurpose, sealInput, unpackSealed } from '#contract/signed.ts'

/** @returns what an agent sealed with its site's key, or null where it is not its seal. */
export function openSeal(purpose: SealPurpose, bytes: Uint8Array, siteKey: string): Uint8Array | null {
  const sealed = unpackSealed(bytes)
  if (!sealed) return null
  const mac = createHmac('sha256', Buffer.from(siteKey, 'base64url')).update(sealInput(purpose, sealed.content)).digest()
  return timingSafeEqual(mac, sealed.mac) ? sealed.content : null
}
