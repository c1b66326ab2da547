import { pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Principal } from './acl.ts'

/** An MQTT user: the hash is that of Mosquitto's password file, so that one account serves either broker. */
export type Account = { readonly user: string; readonly hash: string; readonly principal: Principal }

/** Mosquitto 2.0's own: `$7$iterations$salt$hash`, PBKDF2 with SHA-512. */
const ITERATIONS = 101
const SALT_BYTES = 12
const HASH_BYTES = 64

export function hashMqttPassword(password: string): string {
  const salt = randomBytes(SALT_BYTES)
  const hash = pbkdf2Sync(password, salt, ITERATIONS, HASH_BYTES, 'sha512')
  return `$7$${ITERATIONS}$${salt.toString('base64')}$${hash.toString('base64')}`
}

export function isMqttPassword(hash: string, password: string | Buffer): boolean {
  const [, kind, iterations, salt, wanted] = hash.split('$')
  if (kind !== '7' || iterations === undefined || salt === undefined || wanted === undefined) return false
  const expected = Buffer.from(wanted, 'base64')
  const given = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), expected.length, 'sha512')
  return timingSafeEqual(expected, given)
}

export const mosquittoPasswords = (accounts: readonly Account[]): string => accounts.map(({ user, hash }) => `${user}:${hash}\n`).join('')
