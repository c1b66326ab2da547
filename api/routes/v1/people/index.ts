import { randomBytes } from 'node:crypto'
import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { ChangePerson, FirstPassword, NewPerson, PersonList, PersonView, SessionList, TokenList } from '#contract/http/access.ts'
import { PageQuery } from '#contract/http.ts'
import type { Grant } from '#contract/may.ts'
import { may } from '#contract/may.ts'
import type { Person } from '#registry/port.ts'
import type { App } from '../../../app.ts'
import { hashPassword } from '../../../auth/password.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, pageOf, type RouteContext } from '../../context.ts'
import { requireAction } from '../analysis/require.ts'
import { endSession, removeToken, sessionsOf, tokensOf } from './held.ts'

const HeldParams = Type.Object({ ...IdParams.properties, held: Type.String({ maxLength: 64 }) })
const ENDED = { 204: Type.Null({ description: 'Ended' }), ...PROBLEMS }

/** /api/v1/people, for administrators of the whole district. */
export function peopleRoutes(app: App, context: RouteContext): void {
  const { registry, district, sessions, now } = context
  const tags = ['people']

  const audit = (by: SignedIn, action: string, subject: string, details: Record<string, unknown>): Promise<void> =>
    registry.audit.append({ at: now(), who: by.person.login, action, subject, details })

  /** @throws Fault NOT_ALLOWED */
  function requireAdmin(signedIn: SignedIn): SignedIn {
    requireAction(signedIn, 'manage_people', null)
    return signedIn
  }
  /** @throws Fault NOT_FOUND */
  async function personOf(id: string): Promise<Person> {
    const person = await registry.people.byId(id)
    if (!person) throw new Fault('NOT_FOUND', 'there is no such person', 'GET /api/v1/people lists them')
    return person
  }
  async function requireAreas(grants: readonly Grant[]): Promise<void> {
    const { areas } = await district.read()
    const unknown = grants.filter((g) => g.area !== null && !areas.some((a) => a.id === g.area))
    if (unknown.length > 0)
      throw new Fault('BAD_REQUEST', `there is no area ${unknown.map((g) => g.area).join(', ')}`, 'GET /api/v1/areas lists them')
  }
  const viewOf = async (person: Person): Promise<PersonView> =>
    view(person, (await registry.access.secondFactor(person.id))?.confirmedAt ?? null)

  app.get(
    '/people',
    { schema: { tags, summary: 'Who may sign in, by login', querystring: PageQuery, response: { 200: PersonList, ...PROBLEMS } } },
    async (request) => {
      requireAdmin(signedInOf(request))
      const [people, factors] = await Promise.all([registry.people.list(), registry.access.confirmedFactors()])
      return pageOf(
        people.map((p) => view(p, factors.get(p.id) ?? null)),
        request.query,
      )
    },
  )

  app.post(
    '/people',
    {
      schema: {
        tags,
        summary: 'Add a person; the first password is made here and must be changed at the first sign-in',
        body: NewPerson,
        response: { 201: FirstPassword, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const by = requireAdmin(signedInOf(request))
      const { login, name, grants } = request.body
      await requireAreas(grants)
      const password = firstPassword()
      const person = await registry.people.add({
        login,
        name,
        grants,
        passwordHash: await hashPassword(password),
        mustChangePassword: true,
      })
      await audit(by, 'person.add', login, { name, grants })
      return reply.code(201).send({ person: await viewOf(person), first_password: password })
    },
  )

  app.patch(
    '/people/:id',
    {
      schema: {
        tags,
        summary: 'Change name or roles, disable or enable',
        params: IdParams,
        body: ChangePerson,
        response: { 200: PersonView, ...PROBLEMS },
      },
    },
    async (request) => {
      const by = requireAdmin(signedInOf(request))
      const before = await personOf(request.params.id)
      const { name, grants, disabled } = request.body
      if (grants) await requireAreas(grants)
      // So somebody is left who can undo it.
      if (before.id === by.person.id && (disabled || (grants && !may(grants, 'manage_people', null))))
        throw new Fault('CONFLICT', 'nobody takes the administration from themselves', 'let another administrator do it')
      const disabledAt = disabled === undefined ? before.disabledAt : disabled ? (before.disabledAt ?? now()) : null
      const after = await registry.people.change(before.id, { ...(name && { name }), ...(grants && { grants }), disabledAt })
      if (disabled) await sessions.endAllOf(before.id)
      sessions.personChanged()
      await audit(by, 'person.change', before.login, { before: changeable(before), after: changeable(after) })
      return await viewOf(after)
    },
  )

  app.post(
    '/people/:id/password',
    {
      schema: {
        tags,
        summary: 'A new first password, and the lock-out lifted; every session ends, and tokens wait until it is changed',
        params: IdParams,
        response: { 200: FirstPassword, ...PROBLEMS },
      },
    },
    async (request) => {
      const by = requireAdmin(signedInOf(request))
      const person = await personOf(request.params.id)
      if (person.id === by.person.id) throw new Fault('CONFLICT', 'this is the own password', 'change it: PUT /api/v1/account/password')
      const password = firstPassword()
      await registry.people.setPassword(person.id, { hash: await hashPassword(password), mustChange: true })
      await registry.people.clearFailures(person.id)
      await sessions.endAllOf(person.id)
      await audit(by, 'person.password_reset', person.login, {})
      return { person: await viewOf(await personOf(person.id)), first_password: password }
    },
  )

  app.delete(
    '/people/:id/second-factor',
    {
      schema: {
        tags,
        summary: 'Take away a lost second factor, with its recovery codes; every session ends',
        params: IdParams,
        response: ENDED,
      },
    },
    async (request, reply) => {
      const by = requireAdmin(signedInOf(request))
      const person = await personOf(request.params.id)
      // A stolen session of an administrator must not rid itself of the second factor.
      if (person.id === by.person.id)
        throw new Fault('CONFLICT', 'nobody takes away their own second factor', 'let another administrator do it')
      if (!(await registry.access.removeSecondFactor(person.id)))
        throw new Fault('NOT_FOUND', `${person.login} has no second factor`, 'nothing is to be done')
      await sessions.endAllOf(person.id)
      await audit(by, 'person.second_factor_reset', person.login, {})
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/people/:id/sessions',
    { schema: { tags, summary: 'Sessions of a person', params: IdParams, response: { 200: SessionList, ...PROBLEMS } } },
    async (request) => {
      const by = requireAdmin(signedInOf(request))
      return { items: await sessionsOf(context, (await personOf(request.params.id)).id, by) }
    },
  )
  app.delete(
    '/people/:id/sessions/:held',
    { schema: { tags, summary: 'End a session of a person', params: HeldParams, response: ENDED } },
    async (request, reply) => {
      const by = requireAdmin(signedInOf(request))
      const { id, held } = request.params
      await endSession(context, { person: await personOf(id), id: held, by: by.person.login, ip: request.ip })
      return reply.code(204).send(null)
    },
  )
  app.get(
    '/people/:id/tokens',
    { schema: { tags, summary: 'Tokens of a person', params: IdParams, response: { 200: TokenList, ...PROBLEMS } } },
    async (request) => {
      requireAdmin(signedInOf(request))
      return { items: await tokensOf(context, (await personOf(request.params.id)).id) }
    },
  )
  app.delete(
    '/people/:id/tokens/:held',
    { schema: { tags, summary: 'End a token of a person', params: HeldParams, response: ENDED } },
    async (request, reply) => {
      const by = requireAdmin(signedInOf(request))
      const { id, held } = request.params
      await removeToken(context, { person: await personOf(id), id: held, by: by.person.login, ip: request.ip })
      return reply.code(204).send(null)
    },
  )
}

/** 96 random bits: it is typed once, from a slip of paper. */
const firstPassword = (): string => randomBytes(12).toString('base64url')

const changeable = ({ name, grants, disabledAt }: Person) => ({ name, grants, disabled: disabledAt !== null })

const view = (person: Person, secondFactorAt: number | null): PersonView => ({
  id: person.id,
  login: person.login,
  name: person.name,
  grants: person.grants.map(({ role, area }) => ({ role, area })),
  disabled_at: person.disabledAt,
  must_change_password: person.mustChangePassword,
  locked_until: person.lockedUntil,
  second_factor_at: secondFactorAt,
})
