import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Fault } from '#contract/fault.ts'
import { type AuditAsk, AuditExportQuery, AuditList, AuditQuery } from '#contract/http/audit.ts'
import { reaches, reachOf } from '#contract/may.ts'
import type { AuditFilter } from '#registry/audit.ts'
import type { App } from '../../app.ts'
import type { SignedIn } from '../../auth/sessions.ts'
import { auditCsv, auditLines } from '../../export/audit-rows.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import type { RouteContext } from '../context.ts'

/** /api/v1/audit, /api/v1/audit/export: who did what when. */
export function auditRoutes(app: App, { district, registry, settings }: RouteContext): void {
  const tags = ['people']
  const description =
    'Supervisors of an area see what concerns its gates, canals and sites; supervisors and administrators of the district see all'

  app.get(
    '/audit',
    {
      schema: {
        tags,
        summary: 'The audit trail, newest first',
        description,
        querystring: AuditQuery,
        response: { 200: AuditList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { limit, offset, ...asked } = request.query
      const { items, total } = await registry.audit.list(await filterFor(signedInOf(request), asked), { limit, offset })
      return { items: items.map(({ prevHash: _, ...entry }) => entry), total, limit, offset }
    },
  )

  app.get(
    '/audit/export',
    {
      schema: { tags, summary: 'The audit trail as a file, newest first', description, querystring: AuditExportQuery, response: PROBLEMS },
    },
    async (request, reply) => {
      const { format, ...asked } = request.query
      const filter = await filterFor(signedInOf(request), asked)
      const rows =
        format === 'csv' ? auditCsv(registry.audit, filter, settings.volumes.calendar.utc_offset_min) : auditLines(registry.audit, filter)
      return sendFile(reply, format, rows)
    },
  )

  async function filterFor({ person }: SignedIn, asked: AuditAsk): Promise<AuditFilter> {
    const reach = reachOf(person.grants, 'read_audit')
    if (reach === 'district') return asked
    if (reach.size === 0)
      throw new Fault('NOT_ALLOWED', `${person.login} may not read the audit trail`, 'ask a supervisor or an administrator')
    const { structures, canals, sites } = await district.read()
    const about = [...structures, ...canals, ...sites].filter((thing) => reaches(reach, thing.area)).map((thing) => thing.id)
    return { ...asked, about }
  }
}

const sendFile = (reply: FastifyReply, format: 'csv' | 'jsonl', rows: AsyncIterable<string>): FastifyReply =>
  reply
    .header('content-type', format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl; charset=utf-8')
    .header('content-disposition', `attachment; filename="sluice-audit.${format}"`)
    .send(Readable.from(rows, { objectMode: false }))
