import { randomUUID } from 'node:crypto'
import { Fault } from '#contract/fault.ts'
import { Consultation, ConsultationList, ConsultationQuery, NewConsultation } from '#contract/http/consultation.ts'
import { type Reach, reaches, reachOf } from '#contract/may.ts'
import type { ConsultationRow } from '#registry/consultations.ts'
import type { App } from '../../app.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import { IdParams, type RouteContext } from '../context.ts'

/** What concerns the whole district is for everybody who sees any of it. */
const sees = (reach: Reach, area: string | null): boolean => (area === null ? reach === 'district' || reach.size > 0 : reaches(reach, area))

const view = ({ byName, ...row }: ConsultationRow): Consultation => ({ ...row, by_name: byName })

/** /api/v1/consultations: what was looked at together, and concluded */
export function consultationRoutes(app: App, { registry, now }: RouteContext): void {
  const tags = ['past']
  app.get(
    '/consultations',
    {
      schema: {
        tags,
        summary: 'Recorded consultations, the newest first',
        querystring: ConsultationQuery,
        response: { 200: ConsultationList, ...PROBLEMS },
      },
    },
    async (request) => {
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      if (reach !== 'district' && reach.size === 0) return { items: [], total: 0, ...request.query }
      const found = await registry.consultations.list(reach === 'district' ? {} : { areas: [...reach] }, request.query)
      return { items: found.items.map(view), total: found.total, ...request.query }
    },
  )

  app.get(
    '/consultations/:id',
    { schema: { tags, summary: 'One recorded consultation', params: IdParams, response: { 200: Consultation, ...PROBLEMS } } },
    async (request) => {
      const found = await registry.consultations.one(request.params.id)
      if (found && sees(reachOf(signedInOf(request).person.grants, 'read'), found.area)) return view(found)
      throw new Fault('NOT_FOUND', 'there is no such consultation', 'GET /api/v1/consultations lists them')
    },
  )

  app.post(
    '/consultations',
    {
      schema: {
        tags,
        summary: 'Record a consultation: the time, the views and the conclusions (who keeps the log of its area)',
        body: NewConsultation,
        response: { 201: Consultation, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { title, area = null, from, to, views, conclusions } = request.body
      const { person } = signedInOf(request)
      if (!sees(reachOf(person.grants, 'keep_log'), area))
        throw new Fault('NOT_ALLOWED', `${person.login} does not keep the log of ${area ?? 'the district'}`, 'ask a dispatcher of it')
      if (from > to) throw new Fault('BAD_REQUEST', 'from is after to', 'swap them')
      const at = now()
      const row = {
        ...{ id: randomUUID(), area, title: title.trim(), from, to, views, conclusions: conclusions.trim() },
        ...{ at, by: person.login, byName: person.name },
      }
      await registry.consultations.add(row, {
        ...{ at, who: person.login, action: 'consultation.record', subject: row.id },
        details: { title: row.title, area, from, to, views, conclusions: row.conclusions },
      })
      return reply.code(201).send(view(row))
    },
  )
}
