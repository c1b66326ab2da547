import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { REPORT_KINDS, type ReportContent, ReportFileQuery, ReportIssueView, type ReportKind, ReportQuery } from '#contract/http/report.ts'
import type { ReportIssue } from '#registry/report-issues.ts'
import type { App } from '../../../app.ts'
import { reaches, reachOf } from '../../../auth/may.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { changedGates, digestOf, reportOf } from '../../../reports/content.ts'
import { reportXlsx } from '../../../reports/xlsx.ts'
import type { RouteContext } from '../../context.ts'
import { requireAction } from '../analysis/require.ts'

const Params = Type.Object({ kind: Type.Unsafe<ReportKind>(Type.Enum([...REPORT_KINDS])) })
type Asked = { readonly kind: ReportKind; readonly at: number; readonly area: string | null }

/** /api/v1/reports/:kind */
export function reportRoutes(app: App, { district, history, registry, settings, correctionsOf, now }: RouteContext): void {
  const contentOf = async (signedIn: SignedIn, { kind, at, area }: Asked): Promise<ReportContent> => {
    const { areas, canals, structures } = await district.read()
    if (area !== null && !areas.some((a) => a.id === area))
      throw new Fault('NOT_FOUND', `there is no area ${area}`, 'GET /api/v1/areas lists them')
    if (area !== null) requireAction(signedIn, 'read', area)
    const reach = reachOf(signedIn.person.grants, 'read')
    const seen = (of: { area: string }): boolean => reaches(reach, of.area) && (area === null || of.area === area)
    const place = { areas: areas.filter((a) => seen({ area: a.id })), canals: canals.filter(seen), structures: structures.filter(seen) }
    return await reportOf({ history, correctionsOf }, place, { kind, at, area, now: now() }, settings.volumes)
  }
  const issuesOf = (content: ReportContent): Promise<ReportIssue[]> =>
    registry.reportIssues.of({ kind: content.kind, period: content.period, area: content.area ?? '' })

  app.get(
    '/reports/:kind',
    {
      schema: {
        tags: ['analysis'],
        summary:
          'Volumes of a day, ten-day period, month or season by area, canal and gate, as they are now, and how they were issued last',
        params: Params,
        querystring: ReportQuery,
        response: { 200: ReportIssueView, ...PROBLEMS },
      },
    },
    async (request) => {
      const { at, area } = request.query
      const content = await contentOf(signedInOf(request), { kind: request.params.kind, at, area: area ?? null })
      return viewOf(content, await issuesOf(content))
    },
  )

  app.get(
    '/reports/:kind/xlsx',
    {
      schema: {
        tags: ['analysis'],
        summary: 'The same figures as a workbook, with the issue that they are of and marks where late data changed them',
        params: Params,
        querystring: ReportFileQuery,
        response: PROBLEMS,
      },
    },
    async (request, reply) => {
      const { at, area, lang } = request.query
      const content = await contentOf(signedInOf(request), { kind: request.params.kind, at, area: area ?? null })
      const view = viewOf(content, await issuesOf(content))
      const file = reportXlsx(view, { language: lang, offsetMin: settings.volumes.calendar.utc_offset_min })
      return sendWorkbook(reply, `sluice-${content.kind}-${content.period}.xlsx`, file)
    },
  )

  app.post(
    '/reports/:kind/issues',
    {
      schema: {
        tags: ['analysis'],
        summary:
          'Issue a report. Where late data or a correction has changed its figures it becomes a new issue, else nothing changes (analysts)',
        params: Params,
        body: ReportQuery,
        response: { 200: ReportIssueView, ...PROBLEMS },
      },
    },
    async (request) => {
      const signedIn = signedInOf(request)
      const { at, area } = request.body
      requireAction(signedIn, 'analyse', area ?? null)
      const content = await contentOf(signedIn, { kind: request.params.kind, at, area: area ?? null })
      const made = { by: signedIn.person.login, at: now() }
      const name = { kind: content.kind, period: content.period, area: content.area ?? '' }
      const { last, isNew } = await registry.reportIssues.file({ ...name, digest: digestOf(content), content, ...made })
      if (isNew) {
        const subject = `${name.kind} ${name.period} ${name.area}`.trim()
        await registry.audit.append({
          at: made.at,
          who: made.by,
          action: 'report.issue',
          subject,
          details: { issue: last.issue, digest: last.digest },
        })
      }
      return viewOf(content, await issuesOf(content))
    },
  )
}

const sendWorkbook = (reply: FastifyReply, name: string, file: Uint8Array): FastifyReply =>
  reply
    .header('content-type', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')
    .header('content-disposition', `attachment; filename="${name}"`)
    .send(Buffer.from(file))

function viewOf(content: ReportContent, issues: readonly ReportIssue[]): ReportIssueView {
  const [before, last] = [issues.at(-2), issues.at(-1)]
  // It was checked against the same schema when it was filed.
  const contentIn = (issue: ReportIssue): ReportContent => issue.content as unknown as ReportContent
  return {
    issue: last?.issue ?? null,
    issued_at: last?.at ?? null,
    issued_by: last?.by ?? null,
    changed: before && last ? changedGates(contentIn(before), contentIn(last)) : [],
    is_current: last?.digest === digestOf(content),
    content,
  }
}
