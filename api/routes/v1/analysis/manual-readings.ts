import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { EnterReadings, ImportReport, ManualReadingList, type ManualReadingView } from '#contract/http/analysis.ts'
import { SpanQuery } from '#contract/http/ledger.ts'
import { MANUAL_KINDS, type ManualReading } from '#contract/manual-reading.ts'
import { may } from '#contract/may.ts'
import { metricOf } from '#contract/metrics.ts'
import { drawable } from '#contract/reading.ts'
import { nearest } from '../../../analysis/flow.ts'
import { parseManualCsv } from '../../../analysis/manual-csv.ts'
import type { App } from '../../../app.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { visibleStructure } from '../gates/gate-of.ts'
import { requireSpan } from './require.ts'

const MOST_READINGS = 500

/** /api/v1/gates/:id/manual-readings, /api/v1/manual-readings */
export function manualReadingRoutes(app: App, { district, history, registry, settings, now }: RouteContext): void {
  app.get(
    '/gates/:id/manual-readings',
    {
      schema: {
        tags: ['analysis'],
        summary: 'Staff-gauge readings and gaugings (人工观测), each beside what the sensor said',
        params: IdParams,
        querystring: SpanQuery,
        response: { 200: ManualReadingList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { id } = visibleStructure(await district.read(), signedInOf(request), request.params.id)
      const rows = await registry.manualReadings.list({ gates: [id], ...requireSpan(request.query, { mostDays: 20 * 366 }) })
      const items: ManualReadingView[] = []
      for (const { id: _id, ...row } of rows.slice(-MOST_READINGS)) {
        // A meter is compared where there is one, else the flow that the levels make.
        const metrics = row.kind === 'flow' ? ['flow', 'flow_derived'] : [row.kind]
        const seen = await nearest(history, { gate: id, metrics, at: row.t })
        const metric = metrics.find((m) => seen.has(m))
        const sample = metric === undefined ? undefined : seen.get(metric)
        const sensor = sample ? drawable(sample.reading) : null
        items.push({ ...row, sensor, sensor_metric: metric ?? null, difference: sensor === null ? null : sensor - row.value })
      }
      return { items }
    },
  )

  const enter = async (signedIn: SignedIn, rows: readonly { row: number; reading: ManualReading }[]): Promise<ImportReport> => {
    const { structureById } = await district.read()
    const report: ImportReport = { added: 0, there: 0, refused: [] }
    const fit = rows.filter(({ row, reading }) => {
      const reason = refusalOf(reading, structureById.get(reading.gate)?.area, signedIn)
      if (reason !== undefined) report.refused.push({ row, reason })
      return reason === undefined
    })
    const made = { by: signedIn.person.login, at: now() }
    const entered = await registry.manualReadings.enter(
      fit.map((f) => f.reading),
      made,
    )
    for (const [i, result] of entered.entries()) {
      if (result.kind === 'other')
        report.refused.push({ row: fit[i]?.row ?? 0, reason: `${result.value} stands there for this time already` })
      else report[result.kind]++
    }
    if (report.added > 0) {
      const gates = [...new Set(fit.map((f) => f.reading.gate))].slice(0, 50)
      const details = { added: report.added, refused: report.refused.length, gates }
      await registry.audit.append({ at: made.at, who: made.by, action: 'manual_readings.enter', subject: gates.join(' '), details })
    }
    return { ...report, refused: report.refused.toSorted((a, b) => a.row - b.row) }
  }

  app.post(
    '/manual-readings',
    {
      schema: {
        tags: ['analysis'],
        summary: 'Enter readings made by hand; the same again changes nothing',
        body: EnterReadings,
        response: { 200: ImportReport, ...PROBLEMS },
      },
    },
    async (request) =>
      await enter(
        signedInOf(request),
        request.body.readings.map((reading, i) => ({ row: i + 1, reading })),
      ),
  )

  app.post(
    '/manual-readings/csv',
    {
      bodyLimit: 2 * 1024 * 1024,
      schema: {
        tags: ['analysis'],
        summary:
          'Enter readings made by hand from a CSV with the columns gate, kind, time, value, observer (闸门, 项目, 时间, 数值, 观测员)',
        body: Type.Object({ csv: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
        response: { 200: ImportReport, ...PROBLEMS },
      },
    },
    async (request) => {
      const { readings, refused } = parseManualCsv(request.body.csv, settings.volumes.calendar.utc_offset_min)
      if (readings.length === 0 && refused.length === 0)
        throw new Fault('BAD_REQUEST', 'the CSV has no rows', 'send a header and a row at least')
      const report = await enter(signedInOf(request), readings)
      return { ...report, refused: [...report.refused, ...refused].toSorted((a, b) => a.row - b.row) }
    },
  )
}

function refusalOf(reading: ManualReading, area: string | undefined, { person }: SignedIn): string | undefined {
  if (area === undefined || !may(person.grants, 'read', area)) return `there is no gate ${reading.gate}`
  if (!may(person.grants, 'enter_readings', area)) return `${person.login} may not enter readings in area ${area}`
  const [lowest, highest] = metricOf(reading.kind)?.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  const { unit } = MANUAL_KINDS[reading.kind]
  return reading.value < lowest || reading.value > highest ? `${reading.value} ${unit} is outside ${lowest} … ${highest}` : undefined
}
