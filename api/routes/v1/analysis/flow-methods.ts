import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { Fault } from '#contract/fault.ts'
import { FlowMethod, flowMethodAt } from '#contract/flow-method.ts'
import { CalibrationReply, DeriveSpan, FlowExplained, FlowMethodList, NewFlowMethod, Rederived } from '#contract/http/analysis.ts'
import { SpanQuery } from '#contract/http/ledger.ts'
import { unixMs } from '#contract/units.ts'
import { hydraulicsOf } from '#hydraulics/of-structure.ts'
import { deriveAnew } from '../../../analysis/derive-anew.ts'
import { calibrateStructure, explainFlow, withoutMaker } from '../../../analysis/flow.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { visibleStructure } from '../gates/gate-of.ts'
import { requireAction, requireSpan } from './require.ts'

/** A season in one request; a year is asked for in parts. */
const MOST_DERIVED_DAYS = 92

/** /api/v1/gates/:id/flow-methods, /derived-flow, /flow, /calibration */
export function flowMethodRoutes(app: App, { district, history, registry, now }: RouteContext): void {
  const schema = { tags: ['analysis'], params: IdParams }
  app.get(
    '/gates/:id/flow-methods',
    {
      schema: {
        ...schema,
        summary: 'How a gate’s flow is derived, with every method that was in force',
        response: { 200: FlowMethodList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { id } = visibleStructure(await district.read(), signedInOf(request), request.params.id)
      const methods = await registry.flowMethods.of(id)
      return { now: Value.Clean(FlowMethod, withoutMaker(flowMethodAt(methods, id, now()))) as FlowMethod, methods }
    },
  )

  app.post(
    '/gates/:id/flow-methods',
    {
      schema: {
        ...schema,
        summary: 'Set the method, its geometry and factor from a date on (analysts and engineers)',
        body: NewFlowMethod,
        response: { 201: FlowMethod, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const structure = visibleStructure(await district.read(), signedIn, request.params.id)
      requireAction(signedIn, 'analyse', structure.area)
      const method: FlowMethod = { ...request.body, structure: structure.id }
      try {
        hydraulicsOf(structure, method)
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause
        throw new Fault('BAD_REQUEST', cause.message, 'docs/data.md lists the methods', { cause })
      }
      const at = now()
      await registry.flowMethods.set(method, { by: signedIn.person.login, at })
      await registry.audit.append({ at, who: signedIn.person.login, action: 'flow_method.set', subject: structure.id, details: { method } })
      return reply.code(201).send(method)
    },
  )

  app.post(
    '/gates/:id/derived-flow',
    {
      schema: {
        ...schema,
        summary: 'Derive the stored flow of a span anew, each time by the method in force then; nothing measured is touched (analysts)',
        body: DeriveSpan,
        response: { 200: Rederived, ...PROBLEMS },
      },
    },
    async (request) => {
      const signedIn = signedInOf(request)
      const read = await district.read()
      const structure = visibleStructure(read, signedIn, request.params.id)
      requireAction(signedIn, 'analyse', structure.area)
      const span = requireSpan(request.body, { mostDays: MOST_DERIVED_DAYS })
      const reportIntervalMs = read.siteById.get(structure.site)?.report_interval_ms ?? 0
      // Before it begins: what is done half-way is in the books too.
      await registry.audit.append({
        at: now(),
        who: signedIn.person.login,
        action: 'flow_method.derive_anew',
        subject: structure.id,
        details: span,
      })
      return { derived: await deriveAnew({ history, registry }, structure, { ...span, reportIntervalMs }) }
    },
  )

  app.get(
    '/gates/:id/flow',
    {
      schema: {
        ...schema,
        summary: 'The flow derived for a moment, with its inputs, method, regime, uncertainty and flags',
        querystring: Type.Object({ at: Type.Integer({ minimum: 0, maximum: 8.64e15, description: 'ms since 1970 UTC' }) }),
        response: { 200: FlowExplained, ...PROBLEMS },
      },
    },
    async (request) => {
      const structure = visibleStructure(await district.read(), signedInOf(request), request.params.id)
      return await explainFlow({ history, registry }, structure, unixMs(request.query.at))
    },
  )

  app.get(
    '/gates/:id/calibration',
    {
      schema: {
        ...schema,
        summary: 'The factor that fits the current-meter gaugings of a span best (least squares). It is set by POST /flow-methods',
        querystring: SpanQuery,
        response: { 200: CalibrationReply, ...PROBLEMS },
      },
    },
    async (request) => {
      const structure = visibleStructure(await district.read(), signedInOf(request), request.params.id)
      return await calibrateStructure({ history, registry }, structure, requireSpan(request.query, { mostDays: 20 * 366 }))
    },
  )
}
