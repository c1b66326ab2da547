import { verify } from '@node-rs/argon2'
import type { Grant } from '#contract/may.ts'
import type { Person, Registry } from '#registry/port.ts'
import { hashPassword } from './password.ts'

export type WantedPerson = {
  readonly login: string
  readonly password: string
  readonly name: string
  readonly grants: readonly Grant[]
  /** The password was made by somebody else. */
  readonly mustChangePassword?: boolean
}

/** Adds the person, or gives the one who has this login this password. Name and grants of one who is there stay as people have set them. */
export async function ensurePerson(registry: Pick<Registry, 'people'>, wanted: WantedPerson): Promise<Person> {
  const { login, password, name, grants, mustChangePassword = false } = wanted
  const known = await registry.people.byLogin(login)
  if (!known) return await registry.people.add({ login, name, grants, passwordHash: await hashPassword(password), mustChangePassword })
  if (await verify(known.passwordHash, password)) return known
  await registry.people.setPassword(known.id, { hash: await hashPassword(password), mustChange: mustChangePassword })
  return (await registry.people.byId(known.id)) ?? known
}
