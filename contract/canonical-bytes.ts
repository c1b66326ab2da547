import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { canonicalJson } from './canonical.ts'

/** What is signed or sealed: canonical JSON as UTF-8. */

export const encodeCanonical = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value))

/** @returns null for what is not of the schema, or not in its one spelling. */
export function decodeCanonical<S extends TSchema>(schema: S, bytes: Uint8Array): Static<S> | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    // One spelling for one meaning: what is read is what was signed.
    return Value.Check(schema, value) && canonicalJson(value) === text ? (value as Static<S>) : null
  } catch {
    // Not UTF-8 or not JSON, so not ours.
    return null
  }
}
