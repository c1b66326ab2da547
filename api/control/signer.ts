import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Fault, messageOf } from '#contract/fault.ts'
import { KEY_ID_BYTES, packSigned, type SealPurpose, sealInput } from '#contract/signed.ts'

export type Signer = {
  /** Ed25519, base64url: what the agents are given to believe. */
  readonly publicKey: string
  sign(purpose: SealPurpose, content: Uint8Array): Uint8Array
}

/** Makes a key of its own for whoever may read the file; one that is there stays. @returns its public half, base64url. */
export function makeKeyFile(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' })
  }
  return openSigner(file).publicKey
}

/** @throws Fault CONFIG_UNREADABLE for a file that can't be read or holds no Ed25519 key. */
export function openSigner(file: string): Signer {
  try {
    const key = createPrivateKey(readFileSync(file))
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it holds a key of type ${key.asymmetricKeyType}`)
    const { x } = createPublicKey(key).export({ format: 'jwk' })
    if (x === undefined) throw new Error('it holds no public half')
    const keyId = new Uint8Array(createHash('sha256').update(Buffer.from(x, 'base64url')).digest().subarray(0, KEY_ID_BYTES))
    return {
      publicKey: x,
      sign: (purpose, content) => packSigned({ keyId, signature: new Uint8Array(sign(null, sealInput(purpose, content), key)), content }),
    }
  } catch (cause) {
    throw new Fault(
      'CONFIG_UNREADABLE',
      `the signing key ${file} can't be used: ${messageOf(cause)}`,
      'make one with `npx sluice key make --file FILE`',
      { cause },
    )
  }
}
