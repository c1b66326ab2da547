import { randomUUID } from 'node:crypto'
import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { LockoutList, LockoutView, NewLockout } from '#contract/http/command.ts'
import { PageQuery } from '#contract/http.ts'
import { may, reaches, reachOf } from '#contract/may.ts'
import type { App } from '../../../app.ts'
import { lockoutView } from '../../../control/view.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, pageOf, type RouteContext } from '../../context.ts'
import { visibleStructure } from '../gates/gate-of.ts'

const HOUR_MS = 3_600_000

/** /api/v1/lockouts, /api/v1/gates/:id/lockouts */
export function lockoutRoutes(app: App, { district, registry, control, now }: RouteContext): void {
  const tags = ['control']

  app.get(
    '/lockouts',
    { schema: { tags, summary: 'Structures that are tagged out', querystring: PageQuery, response: { 200: LockoutList, ...PROBLEMS } } },
    async (request) => {
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      const { structureById } = await district.read()
      const seen = (await registry.control.lockouts(now())).filter((l) => reaches(reach, structureById.get(l.structure)?.area ?? ''))
      return pageOf(seen.map(lockoutView), request.query)
    },
  )

  app.post(
    '/gates/:id/lockouts',
    {
      schema: {
        tags,
        summary: 'Tag a gate out: every command is refused, here and at the agent',
        params: IdParams,
        body: NewLockout,
        response: { 201: LockoutView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const { person } = signedIn
      const structure = visibleStructure(await district.read(), signedIn, request.params.id)
      if (!may(person.grants, 'lock_out', structure.area))
        throw new Fault(
          'NOT_ALLOWED',
          `${person.login} may not tag gates out in area ${structure.area}`,
          'ask a dispatcher or engineer of this area',
        )
      const at = now()
      const until = Math.round(at + request.body.hours * HOUR_MS)
      const lockout = {
        id: randomUUID(),
        structure: structure.id,
        reason: request.body.reason,
        by: person.login,
        byName: person.name,
        at,
        until,
      }
      // At the center first: from here on nothing is sent, whether the agent hears of the tag or not.
      const entry = { at, who: person.login, action: 'lockout.tag', subject: structure.id, details: { ...lockout } }
      await registry.control.lockOut(lockout, entry)
      if (await control.isAvailable(structure.site)) {
        await control.atOnce(structure, signedIn, {
          kind: 'tag',
          reason: lockout.reason,
          by: person.name.slice(0, 100) || person.login,
          until,
        })
      }
      await control.showLockouts(structure)
      return reply.code(201).send(lockoutView({ ...lockout, liftedBy: null, liftedAt: null }))
    },
  )

  app.delete(
    '/lockouts/:id',
    {
      schema: {
        tags,
        summary: 'Lift a tag: who tagged it, or a supervisor',
        params: IdParams,
        response: { 204: Type.Null({ description: 'Lifted' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const { person } = signedIn
      const lockout = await registry.control.lockout(request.params.id)
      if (!lockout) throw new Fault('NOT_FOUND', 'there is no such tag', 'GET /api/v1/lockouts lists them')
      const structure = visibleStructure(await district.read(), signedIn, lockout.structure)
      if (lockout.by !== person.login && !may(person.grants, 'supervise', structure.area)) {
        throw new Fault('NOT_ALLOWED', `only ${lockout.byName} or a supervisor lifts this tag`, 'ask one of them')
      }
      const at = now()
      const details = { lockout: lockout.id }
      const entry = { at, who: person.login, action: 'lockout.lift', subject: lockout.structure, details }
      if (!(await registry.control.lift(lockout.id, { by: person.login, at }, entry)))
        throw new Fault('CONFLICT', 'it has been lifted already', 'look again')
      const others = (await registry.control.lockouts(now())).some((l) => l.structure === structure.id)
      if (!others && (await control.isAvailable(structure.site))) await control.atOnce(structure, signedIn, { kind: 'untag' })
      await control.showLockouts(structure)
      return reply.code(204).send(null)
    },
  )
}
