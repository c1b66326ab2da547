import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { type ExportFormat, ExportProgress, ExportQuery, Sl323Query } from '#contract/http/export.ts'
import { reaches, reachOf } from '#contract/may.ts'
import { metricOf } from '#contract/metrics.ts'
import type { Sample } from '#history/port.ts'
import type { App } from '../../../app.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import type { District } from '../../../district-view.ts'
import { csvOf } from '../../../export/csv.ts'
import { parquetOf } from '../../../export/parquet.ts'
import { blocksOf } from '../../../export/rows.ts'
import { RunningExports } from '../../../export/running.ts'
import { sl323Of, stationCode } from '../../../export/sl323.ts'
import { xlsxOf } from '../../../export/xlsx.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { namedGates } from '../gates/gate-of.ts'

const FILES: Record<
  ExportFormat,
  { type: string; encode: (blocks: AsyncIterable<readonly Sample[]>, offsetMin: number) => AsyncIterable<string | Uint8Array> }
> = {
  csv: { type: 'text/csv; charset=utf-8', encode: csvOf },
  xlsx: { type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', encode: xlsxOf },
  parquet: { type: 'application/vnd.apache.parquet', encode: parquetOf },
}

/** /api/v1/export, /api/v1/export/sl323, /api/v1/exports */
export function exportRoutes(app: App, { district, history, settings, now }: RouteContext): void {
  const running = new RunningExports()
  const offsetMin = settings.volumes.calendar.utc_offset_min

  app.get(
    '/export',
    {
      schema: {
        tags: ['data'],
        summary: 'Every sample of gates and metrics as a file: streamed, of any length',
        querystring: ExportQuery,
        response: PROBLEMS,
      },
    },
    async (request, reply) => {
      const { from, to, format, id } = request.query
      const signedIn = signedInOf(request)
      requireSpan(from, to)
      const asked = {
        gates: gatesOf(await district.read(), signedIn, request.query.gates),
        metrics: metricsOf(request.query.metrics),
        from,
        to,
      }
      const { type, encode } = FILES[format]
      const run = running.begin(signedIn.person.login, id)
      return send(reply, { type, name: `sluice-${from}-${to}.${format}`, run }, encode(blocksOf(history, asked, run), offsetMin))
    },
  )

  app.get(
    '/export/sl323',
    {
      schema: {
        tags: ['data'],
        summary: 'Rows for a water bureau’s database by SL 323, as SQL or CSV',
        querystring: Sl323Query,
        response: PROBLEMS,
      },
    },
    async (request, reply) => {
      const { from, to, table, format, every_min, id } = request.query
      const signedIn = signedInOf(request)
      requireSpan(from, to)
      const read = await district.read()
      const codes = new Map((request.query.stcd ?? '').split(',').map((pair) => pair.trim().split(':', 2) as [string, string]))
      const canals = new Map(read.canals.map((c) => [c.id, c.name.zh]))
      const stations = gatesOf(read, signedIn, request.query.gates).flatMap((gate) => {
        const structure = read.structureById.get(gate)
        if (!structure) return []
        const station = read.siteById.get(structure.site)?.station ?? ''
        return [{ structure, stcd: stationCode(gate, codes), canal: canals.get(structure.canal) ?? '', station }]
      })
      const run = running.begin(signedIn.person.login, id)
      const how = { table, format, from, to, everyMs: every_min * 60_000, offsetMin, now: now(), ...run }
      const type = format === 'csv' ? FILES.csv.type : 'application/sql; charset=utf-8'
      return send(reply, { type, name: `${table}-${from}-${to}.${format}`, run }, sl323Of(history, stations, how))
    },
  )

  app.get(
    '/exports',
    {
      schema: {
        tags: ['data'],
        summary: 'Your exports under way at this node',
        response: { 200: Type.Array(ExportProgress), ...PROBLEMS },
      },
    },
    async (request) => running.of(signedInOf(request).person.login),
  )
  app.get(
    '/exports/:id',
    { schema: { tags: ['data'], summary: 'How far an export is', params: IdParams, response: { 200: ExportProgress, ...PROBLEMS } } },
    async (request) => {
      const { id, rows, share } = running.one(signedInOf(request).person.login, request.params.id)
      return { id, rows, share }
    },
  )
  app.delete(
    '/exports/:id',
    {
      schema: {
        tags: ['data'],
        summary: 'End an export: its file is cut off',
        params: IdParams,
        response: { 204: Type.Null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      running.one(signedInOf(request).person.login, request.params.id).stop.abort()
      return reply.code(204).send(null)
    },
  )
}

type Run = ReturnType<RunningExports['begin']>

/** A cancelled or failed export ends its connection before its end, so that nobody takes a part for the whole. */
function send(
  reply: FastifyReply,
  { type, name, run }: { type: string; name: string; run: Run },
  chunks: AsyncIterable<string | Uint8Array>,
): FastifyReply {
  const stream = Readable.from(
    (async function* () {
      yield* chunks
      if (run.signal.aborted) throw new Error('the export was cancelled')
    })(),
    { objectMode: false },
  )
  stream.once('close', run.end)
  return reply.header('content-type', type).header('content-disposition', `attachment; filename="${name}"`).send(stream)
}

function gatesOf(read: District, signedIn: SignedIn, named: string | undefined): string[] {
  if (named !== undefined) return namedGates(read, signedIn, named)
  const reach = reachOf(signedIn.person.grants, 'read')
  return read.structures.filter((s) => reaches(reach, s.area)).map((s) => s.id)
}

function metricsOf(text: string): string[] {
  const metrics = [...new Set(text.split(',').map((name) => name.trim()))]
  const unknown = metrics.find((name) => !metricOf(name))
  if (unknown !== undefined)
    throw new Fault(
      'BAD_REQUEST',
      `the metric catalogue does not know ${JSON.stringify(unknown.slice(0, 40))}`,
      'name metrics like level_up,flow',
    )
  return metrics
}

function requireSpan(from: number, to: number): void {
  if (from < 0 || to > 8.64e15 || from >= to)
    throw new Fault('BAD_REQUEST', 'from and to are no span', 'give both in ms since 1970 UTC, from before to')
}
