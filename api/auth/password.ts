import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'

// argon2id is the library's default algorithm. OWASP Password Storage Cheat Sheet: m = 19 MiB, t = 2, p = 1.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** @returns a PHC string (`$argon2id$…`). */
export const hashPassword = (password: string): Promise<string> => hash(password, COST)

export type PasswordCheck = (passwordHash: string | undefined, password: string) => Promise<boolean>

/** A check that takes as long for a login that nobody has: it is made against a hash of noise, so that time tells nothing. */
export async function openPasswordCheck(): Promise<PasswordCheck> {
  const nobody = await hashPassword(randomBytes(32).toString('base64'))
  return async (passwordHash, password) => {
    const right = await verify(passwordHash ?? nobody, password)
    return right && passwordHash !== undefined
  }
}
