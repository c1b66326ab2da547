/**
 * What one machine must believe of another though the broker between them may be anybody's: content and its seal in one blob.
 * `signed`: Ed25519, made by an API's key, one byte of version, 8 of key id, 64 of signature, the content.
 * `sealed`: HMAC-SHA256 with a site's own key, one byte of version, 32 of MAC, the content.
 * Whoever holds the keys computes; this file says over which bytes.
 */

/** What a seal is for: bytes made for one purpose are nothing for another. */
export const SEAL_PURPOSES = ['command', 'time', 'config', 'config_news', 'state', 'control', 'receipt', 'commissioned'] as const
export type SealPurpose = (typeof SEAL_PURPOSES)[number]

export const KEY_ID_BYTES = 8
export const SIGNATURE_BYTES = 64
export const MAC_BYTES = 32
const SIGNED_VERSION = 1
const SEALED_VERSION = 1

export type Signed = { readonly keyId: Uint8Array; readonly signature: Uint8Array; readonly content: Uint8Array }
export type Sealed = { readonly mac: Uint8Array; readonly content: Uint8Array }

/** The bytes that a signature or MAC is made over. */
export const sealInput = (purpose: SealPurpose, content: Uint8Array): Uint8Array =>
  joined(new TextEncoder().encode(`sluice/${purpose}/v1\0`), content)

export const packSigned = ({ keyId, signature, content }: Signed): Uint8Array =>
  joined(Uint8Array.of(SIGNED_VERSION), keyId, signature, content)

/** @returns null for what is not a signed blob of a version that we know. */
export function unpackSigned(bytes: Uint8Array): Signed | null {
  const at = 1 + KEY_ID_BYTES
  if (bytes[0] !== SIGNED_VERSION || bytes.length <= at + SIGNATURE_BYTES) return null
  return { keyId: bytes.slice(1, at), signature: bytes.slice(at, at + SIGNATURE_BYTES), content: bytes.slice(at + SIGNATURE_BYTES) }
}

export const packSealed = ({ mac, content }: Sealed): Uint8Array => joined(Uint8Array.of(SEALED_VERSION), mac, content)

/** @returns null for what is not a sealed blob of a version that we know. */
export function unpackSealed(bytes: Uint8Array): Sealed | null {
  if (bytes[0] !== SEALED_VERSION || bytes.length <= 1 + MAC_BYTES) return null
  return { mac: bytes.slice(1, 1 + MAC_BYTES), content: bytes.slice(1 + MAC_BYTES) }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
