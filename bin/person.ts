import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import { text } from 'node:stream/consumers'
import type { Logger } from 'pino'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { hashPassword } from '#api/auth/password.ts'
import { requireStrong } from '#api/auth/password-rules.ts'
import { Fault } from '#contract/fault.ts'
import { LOGIN_PATTERN } from '#contract/http/access.ts'
import { type Grant, ROLES } from '#contract/may.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { folders } from './folders.ts'
import type { ServiceSettings } from './settings.ts'

/** `dispatcher` is the whole district, `dispatcher@yichang` one area. @throws Fault BAD_REQUEST */
export function parseGrant(written: string): Grant {
  const [name, area, ...rest] = written.split('@')
  const role = ROLES.find((r) => r === name)
  if (!role || rest.length > 0 || area === '') {
    throw new Fault('BAD_REQUEST', `${written} is not a role`, `write one of ${ROLES.join(', ')}, or ROLE@AREA`)
  }
  return { role, area: area ?? null }
}

/** `sluice person add`: also how the first administrator comes to be. A password that is made here must be changed at the first sign-in. */
export async function addPerson(
  settings: ServiceSettings,
  person: { login: string; name: string; roles: readonly string[] },
  log: Logger,
): Promise<void> {
  const { login, name } = person
  if (!new RegExp(LOGIN_PATTERN).test(login))
    throw new Fault('BAD_REQUEST', `${login} can't be a login`, 'use small letters, digits, dot, underscore and hyphen, 40 at most')
  const grants = person.roles.map(parseGrant)
  const given = process.stdin.isTTY ? '' : (await text(process.stdin)).trim()
  if (given !== '') await requireStrong(given, { login, name })
  const password = given === '' ? makePassword() : given
  await withRegistry(settings, log, async (registry) => {
    const known = await registry.people.byLogin(login)
    const { id } = await ensurePerson(registry, { login, name, password, grants, mustChangePassword: given === '' })
    if (known) await endSessions(registry, id)
    await audit(registry, known ? 'person.password_reset' : 'person.add', login, known ? {} : { name, grants })
  })
  process.stdout.write(given === '' ? `${login} may sign in with password ${password} and must change it then\n` : `${login} may sign in\n`)
}

/** `sluice person reset`: for whoever is locked out of everything, the last administrator above all. */
export async function resetPerson(settings: ServiceSettings, login: string, log: Logger): Promise<void> {
  const password = makePassword()
  await withRegistry(settings, log, async (registry) => {
    const person = await registry.people.byLogin(login)
    if (!person) throw new Fault('NOT_FOUND', `nobody has the login ${login}`, 'add the person: sluice person add')
    await registry.people.setPassword(person.id, { hash: await hashPassword(password), mustChange: true })
    await registry.people.clearFailures(person.id)
    await registry.people.change(person.id, { disabledAt: null })
    const had = await registry.access.removeSecondFactor(person.id)
    await endSessions(registry, person.id)
    await audit(registry, 'person.reset', login, { second_factor_removed: had, enabled: person.disabledAt !== null })
  })
  process.stdout.write(`${login} may sign in with password ${password} and must change it then; the second factor is off\n`)
}

const makePassword = (): string => randomBytes(12).toString('base64url')

async function withRegistry(settings: ServiceSettings, log: Logger, work: (registry: Registry) => Promise<void>): Promise<void> {
  const registry = await openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })
  try {
    await work(registry)
  } finally {
    await registry.close()
  }
}

async function endSessions(registry: Registry, personId: string): Promise<void> {
  for (const { tokenHash } of await registry.sessions.of(personId)) await registry.sessions.remove(tokenHash)
}

const audit = (registry: Registry, action: string, subject: string, details: Record<string, unknown>): Promise<void> =>
  registry.audit.append({ at: Date.now(), who: 'command line', action, subject, details: { ...details, user: userInfo().username } })
