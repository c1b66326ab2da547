import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import {
  REPORT_KINDS,
  type ReportContent,
  ReportFileQuery,
  ReportIssueBody,
  ReportIssueView,
  type ReportKind,
  ReportQuery,
} from '#contract/http/report.ts'
import { reaches, reachOf } from '#contract/may.ts'
import { periodAt } from '#contract/periods.ts'
import type { ReportIssue } from '#registry/report-issues.ts'
import type { App } from '../../../app.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { digestOf, reportOf } from '../../../reports/content.ts'
import { viewOf } from '../../../reports/view.ts'
import { reportXlsx } from '../../../reports/xlsx.ts'
import type { RouteContext } from '../../context.ts'
import { requireAction } from '../analysis/require.ts'

const Params = Type.Object({ kind: Type.Unsafe<ReportKind>(Type.Enum([...REPORT_KINDS])) })
type Named = { readonly kind: ReportKind; readonly at: number; readonly area: string | null }
type Asked = { readonly at?: number; readonly area?: string; readonly issue?: number }

/** /api/v1/reports/:kind */
export function reportRoutes(app: App, { district, history, registry, settings, correctionsOf, now }: RouteContext): void {
  const contentOf = async (signedIn: SignedIn, { kind, at, area }: Named): Promise<ReportContent> => {
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

  const { calendar } = settings.volumes
  const viewAsked = async (signedIn: SignedIn, kind: ReportKind, { at, area, issue }: Asked): Promise<ReportIssueView> => {
    const moment = at ?? periodAt(kind, now(), calendar).from - 1
    const content = await contentOf(signedIn, { kind, at: moment, area: area ?? null })
    const running = periodAt(kind, moment, calendar).to > now()
    return viewOf({ content, issues: await issuesOf(content), asked: issue, running })
  }

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
    async (request) => await viewAsked(signedInOf(request), request.params.kind, request.query),
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
      const view = await viewAsked(signedInOf(request), request.params.kind, request.query)
      const file = reportXlsx(view, { language: request.query.lang, offsetMin: calendar.utc_offset_min })
      return sendFile(reply, { name: fileName(view, 'xlsx'), type: XLSX, bytes: file })
    },
  )

  app.get(
    '/reports/:kind/pdf',
    {
      schema: {
        tags: ['analysis'],
        summary: 'The same figures on paper, with the issue that they are of, marks and room for signatures',
        params: Params,
        querystring: ReportFileQuery,
        response: PROBLEMS,
      },
    },
    async (request, reply) => {
      const view = await viewAsked(signedInOf(request), request.params.kind, request.query)
      // Its library takes a quarter of a second to load, and most starts print nothing.
      const { reportPdf } = await import('../../../reports/pdf.ts')
      const file = await reportPdf(view, { language: request.query.lang, offsetMin: calendar.utc_offset_min })
      return sendFile(reply, { name: fileName(view, 'pdf'), type: 'application/pdf', bytes: file })
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
        body: ReportIssueBody,
        response: { 200: ReportIssueView, ...PROBLEMS },
      },
    },
    async (request) => {
      const signedIn = signedInOf(request)
      const { at, area } = request.body
      requireAction(signedIn, 'analyse', area ?? null)
      if (periodAt(request.params.kind, at, calendar).to > now())
        throw new Fault('CONFLICT', 'the period is not over: its figures change with each reading', 'issue the report once it is over')
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
      return await viewAsked(signedIn, content.kind, { at, ...(area !== undefined && { area }) })
    },
  )
}

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

const fileName = ({ content, shown }: ReportIssueView, ending: string): string =>
  `sluice-${content.kind}-${content.period}${shown === null ? '' : `-issue-${shown}`}.${ending}`

const sendFile = (reply: FastifyReply, file: { name: string; type: string; bytes: Uint8Array }): FastifyReply =>
  reply.header('content-type', file.type).header('content-disposition', `attachment; filename="${file.name}"`).send(Buffer.from(file.bytes))
