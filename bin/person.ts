import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import type { Logger } from 'pino'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { Fault } from '#contract/fault.ts'
import { openRegistry } from '#registry/open.ts'
import { type Grant, ROLES } from '#registry/port.ts'
import { folders } from './folders.ts'
import type { ServiceSettings } from './settings.ts'

const LEAST_PASSWORD = 10

/** `dispatcher` is the whole district, `dispatcher@yichang` one area. @throws Fault BAD_REQUEST */
export function parseGrant(written: string): Grant {
  const [name, area, ...rest] = written.split('@')
  const role = ROLES.find((r) => r === name)
  if (!role || rest.length > 0 || area === '') {
    throw new Fault('BAD_REQUEST', `${written} is not a role`, `write one of ${ROLES.join(', ')}, or ROLE@AREA`)
  }
  return { role, area: area ?? null }
}

export async function addPerson(
  settings: ServiceSettings,
  person: { login: string; name: string; roles: readonly string[] },
  log: Logger,
): Promise<void> {
  const grants = person.roles.map(parseGrant)
  const given = process.stdin.isTTY ? '' : (await text(process.stdin)).trim()
  if (given !== '' && given.length < LEAST_PASSWORD) {
    throw new Fault('BAD_REQUEST', `the password has ${given.length} characters`, `give one of at least ${LEAST_PASSWORD}`)
  }
  const password = given === '' ? randomBytes(12).toString('base64url') : given
  const registry = await openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })
  try {
    await ensurePerson(registry, { login: person.login, name: person.name, password, grants })
  } finally {
    await registry.close()
  }
  process.stdout.write(given === '' ? `${person.login} may sign in with password ${password}\n` : `${person.login} may sign in\n`)
}
