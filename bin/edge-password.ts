import { text as textOf } from 'node:stream/consumers'
import { hash } from '@node-rs/argon2'
import { Fault } from '#contract/fault.ts'
import type { Output } from './edge-output.ts'

const LEAST = 10

/** Writes the line for the site file. The password itself is kept nowhere. */
export async function runPassword(out: Output): Promise<void> {
  const password = process.stdin.isTTY ? await ask() : (await textOf(process.stdin)).trim()
  if (password.length < LEAST)
    throw new Fault('BAD_REQUEST', `the password has ${password.length} characters`, `give one of at least ${LEAST}`)
  // OWASP's parameters for Argon2id: 19 MiB, two passes. A gatehouse's machine has little memory.
  const password_hash = await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  out.tell({ password_hash })
  out.say([`  password_hash: '${password_hash}'`])
}

async function ask(): Promise<string> {
  const { isCancel, password } = await import('@clack/prompts')
  const given = await password({ message: 'Password for the page of this site' })
  if (isCancel(given)) throw new Fault('BAD_REQUEST', 'no password was given', 'run it again')
  return given
}
