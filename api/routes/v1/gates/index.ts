import { Type } from 'typebox'
import { Structure } from '#contract/district.ts'
import { Gate, GateList, PageQuery } from '#contract/http.ts'
import { reaches, reachOf } from '#contract/may.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { pageOf, type RouteContext } from '../../context.ts'
import { requireConsistent, requireRegister } from '../register.ts'
import { gateOf } from './gate-of.ts'

const GatesQuery = Type.Object({
  ...PageQuery.properties,
  area: Type.Optional(Type.String({ maxLength: 64, description: 'Only the gates of this area' })),
})

/** /api/v1/gates */
export function gatesRoutes(app: App, { district, states, sites, registry, now }: RouteContext): void {
  const last = { states, sites }
  app.get(
    '/gates',
    {
      schema: {
        tags: ['district'],
        summary: 'The gates of the areas that the person may see, with their last states',
        querystring: GatesQuery,
        response: { 200: GateList, ...PROBLEMS },
      },
    },
    async (request) => {
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      const { area } = request.query
      const read = await district.read()
      const seen = read.structures.filter((s) => reaches(reach, s.area) && (area === undefined || s.area === area))
      const { items, ...page } = pageOf(seen, request.query)
      return { items: items.map((s) => gateOf(s, read, last)), ...page }
    },
  )

  app.post(
    '/gates',
    {
      schema: {
        tags: ['district'],
        summary: 'Register a gate (engineers and administrators of its area)',
        body: Structure,
        response: { 201: Gate, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const structure = request.body
      const signedIn = signedInOf(request)
      requireRegister(signedIn, structure.area)
      requireConsistent(await district.read(), { structure })
      await registry.district.addStructure(structure)
      district.forget()
      await registry.audit.append({
        at: now(),
        who: signedIn.person.login,
        action: 'gate.add',
        subject: structure.id,
        details: { structure },
      })
      return reply.code(201).send(gateOf(structure, await district.read(), last))
    },
  )
}
