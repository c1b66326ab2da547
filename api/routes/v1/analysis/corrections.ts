import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { CorrectionList, CorrectionView, NewCorrection, Withdrawal } from '#contract/http/analysis.ts'
import { SpanQuery } from '#contract/http/ledger.ts'
import { metricOf } from '#contract/metrics.ts'
import { unixMs } from '#contract/units.ts'
import type { CorrectionRow, Ruling } from '#registry/corrections.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { visibleStructure } from '../gates/gate-of.ts'
import { requireAction, requireSpan } from './require.ts'

const MOST_DAYS = 20 * 366

/** /api/v1/gates/:id/corrections, /api/v1/corrections/:id */
export function correctionRoutes(app: App, { district, registry, now }: RouteContext): void {
  app.get(
    '/gates/:id/corrections',
    {
      schema: {
        tags: ['analysis'],
        summary: 'What analysts have ruled of a gate’s data, withdrawn rulings included',
        params: IdParams,
        querystring: SpanQuery,
        response: { 200: CorrectionList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { id } = visibleStructure(await district.read(), signedInOf(request), request.params.id)
      const rows = await registry.corrections.all({ gates: [id], ...requireSpan(request.query, { mostDays: MOST_DAYS }) })
      return { items: rows.map(viewOf) }
    },
  )

  app.post(
    '/gates/:id/corrections',
    {
      schema: {
        tags: ['analysis'],
        summary: 'Mark a stretch bad or put values in its place; what was measured stays (analysts)',
        params: IdParams,
        body: NewCorrection,
        response: { 201: CorrectionView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const structure = visibleStructure(await district.read(), signedIn, request.params.id)
      requireAction(signedIn, 'analyse', structure.area)
      const { metric, ruling, reason } = request.body
      const span = requireSpan(request.body, { mostDays: MOST_DAYS })
      if (!metricOf(metric))
        throw new Fault('BAD_REQUEST', `the metric catalogue does not know ${metric}`, 'name one like flow or level_up')
      const [by, at] = [signedIn.person.login, now()]
      const row = await registry.corrections.add({ gate: structure.id, metric, ...span, ruling: rulingOf(ruling), reason, by, at })
      await registry.audit.append({
        at,
        who: by,
        action: 'correction.add',
        subject: structure.id,
        details: { id: row.id, ...request.body },
      })
      return reply.code(201).send(viewOf(row))
    },
  )

  app.post(
    '/corrections/:id/withdraw',
    {
      schema: {
        tags: ['analysis'],
        summary: 'Withdraw a ruling; it stays in the books (analysts)',
        params: Type.Object({ id: Type.Integer({ minimum: 1 }) }),
        body: Withdrawal,
        response: { 200: CorrectionView, ...PROBLEMS },
      },
    },
    async (request) => {
      const signedIn = signedInOf(request)
      const { id } = request.params
      const row = await registry.corrections.byId(id)
      if (!row) throw new Fault('NOT_FOUND', `there is no correction ${id}`, 'GET /api/v1/gates/:id/corrections lists them')
      const structure = visibleStructure(await district.read(), signedIn, row.gate)
      requireAction(signedIn, 'analyse', structure.area)
      const [by, at, { why }] = [signedIn.person.login, now(), request.body]
      if (!(await registry.corrections.withdraw(id, { by, at, why })))
        throw new Fault('CONFLICT', `correction ${id} is withdrawn already`, 'nothing is left to do')
      await registry.audit.append({ at, who: by, action: 'correction.withdraw', subject: row.gate, details: { id, why } })
      return viewOf({ ...row, withdrawnBy: by, withdrawnAt: at, withdrawnWhy: why })
    },
  )
}

const rulingOf = (ruling: NewCorrection['ruling']): Ruling =>
  ruling.kind === 'samples' ? { kind: 'samples', samples: ruling.samples.map(({ t, value }) => ({ t: unixMs(t), value })) } : ruling

function viewOf({ withdrawnBy, withdrawnAt, withdrawnWhy, ruling, ...row }: CorrectionRow): CorrectionView {
  const told: CorrectionView['ruling'] = ruling.kind === 'samples' ? { kind: 'samples', samples: [...ruling.samples] } : ruling
  return { ...row, ruling: told, withdrawn_by: withdrawnBy, withdrawn_at: withdrawnAt, withdrawn_why: withdrawnWhy }
}
