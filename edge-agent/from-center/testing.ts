import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { packSigned, sealInput } from '#contract/signed.ts'
import { type ConfigNews, type ConfigOrder, decodeConfigNews, encodeConfigOrder } from '#contract/site-config.ts'
import type { SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { openSealed, siteKeyOf } from '../command/verify.ts'

/** A center for tests: a key of its own, and what an agent of one of its sites says. */

export const SITE_KEY = Buffer.alloc(32, 9).toString('base64url')
const { privateKey } = generateKeyPairSync('ed25519')
export const COMMAND_KEY = createPublicKey(privateKey).export({ format: 'jwk' }).x ?? ''

export function signedOrder(order: ConfigOrder): Uint8Array {
  const content = new Uint8Array(deflateRawSync(encodeConfigOrder(order)))
  const keyId = new Uint8Array(createHash('sha256').update(Buffer.from(COMMAND_KEY, 'base64url')).digest().subarray(0, 8))
  return packSigned({ keyId, signature: new Uint8Array(sign(null, sealInput('config', content), privateKey)), content })
}

export function newsIn(metrics: readonly SparkplugMetric[]): ConfigNews | null {
  const value = metrics[0]?.value
  const content = value instanceof Uint8Array ? openSealed('config_news', value, siteKeyOf(SITE_KEY)) : null
  return content && decodeConfigNews(new Uint8Array(inflateRawSync(content)))
}
