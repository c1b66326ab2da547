import { createHash, createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import { KEY_ID_BYTES, packSealed, type SealPurpose, sealInput, unpackSealed, unpackSigned } from '#contract/signed.ts'

/** The center's public keys, by key id. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>

/** @returns the keys by the first bytes of their SHA-256. @throws TypeError for what is no Ed25519 key. */
export function trustedKeys(publicKeys: readonly string[]): TrustedKeys {
  return new Map(
    publicKeys.map((x) => {
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
      return [createHash('sha256').update(Buffer.from(x, 'base64url')).digest().subarray(0, KEY_ID_BYTES).toString('hex'), key]
    }),
  )
}

/** @returns the content when one of our keys signed it for this purpose, else null. For commands, time answers and configurations. */
export function openSigned(purpose: SealPurpose, bytes: Uint8Array, keys: TrustedKeys): Uint8Array | null {
  const signed = unpackSigned(bytes)
  const key = signed && keys.get(Buffer.from(signed.keyId).toString('hex'))
  if (!signed || !key) return null
  return verify(null, sealInput(purpose, signed.content), key, signed.signature) ? signed.content : null
}

const macOf = (purpose: SealPurpose, content: Uint8Array, siteKey: Buffer): Buffer =>
  createHmac('sha256', siteKey).update(sealInput(purpose, content)).digest()

export const seal = (purpose: SealPurpose, content: Uint8Array, siteKey: Buffer): Uint8Array =>
  packSealed({ mac: macOf(purpose, content, siteKey), content })

/** @returns the content when it was sealed with the site's key for this purpose, else null. */
export function openSealed(purpose: SealPurpose, bytes: Uint8Array, siteKey: Buffer): Uint8Array | null {
  const sealed = unpackSealed(bytes)
  if (!sealed) return null
  return timingSafeEqual(macOf(purpose, sealed.content, siteKey), sealed.mac) ? sealed.content : null
}

export const siteKeyOf = (text: string): Buffer => Buffer.from(text, 'base64url')
