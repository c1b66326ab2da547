import { type Static, Type } from 'typebox'

/** 日报, 旬报, 月报 and the season's. */
export const REPORT_KINDS = ['day', 'tenday', 'month', 'season'] as const
export type ReportKind = (typeof REPORT_KINDS)[number]

const Quantity = Type.Union([Type.Number(), Type.Null()])
const Name = Type.Object({ zh: Type.String(), en: Type.String() })

const Figures = {
  volume_m3: Quantity,
  plus_minus_m3: Quantity,
  completeness: Type.Number({ minimum: 0, maximum: 1, description: 'Of a total: of its least complete part' }),
}
export const ReportRow = Type.Object({
  gate: Type.String(),
  name: Name,
  counted: Type.Boolean({ description: 'It lets water into its canal and so counts in the totals' }),
  metric: Type.String({ description: 'flow, or flow_derived where no meter has spoken in the period' }),
  mean_flow_m3s: Quantity,
  min_flow_m3s: Quantity,
  max_flow_m3s: Quantity,
  ...Figures,
  estimated_share: Type.Number(),
  bad_share: Type.Number(),
  corrected: Type.Boolean(),
})
export type ReportRow = Static<typeof ReportRow>
export const ReportContent = Type.Object({
  kind: Type.Enum([...REPORT_KINDS]),
  period: Type.String({ description: 'By the local date on which it begins' }),
  from: Type.Number(),
  to: Type.Number({ description: 'Exclusive; printed on the report with from, in local time' }),
  area: Type.Union([Type.String(), Type.Null()], { description: 'null: every area that the person may see' }),
  areas: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Name,
      ...Figures,
      canals: Type.Array(Type.Object({ id: Type.String(), name: Name, head: Type.Boolean(), ...Figures, rows: Type.Array(ReportRow) })),
    }),
  ),
})
export type ReportContent = Static<typeof ReportContent>

const MOMENT = { minimum: 0, maximum: 8.64e15 }
const AreaId = Type.Optional(Type.String({ maxLength: 64 }))
export const ReportIssueBody = Type.Object({
  at: Type.Integer({ ...MOMENT, description: 'Any time in the period, ms since 1970 UTC' }),
  area: AreaId,
})
export const ReportQuery = Type.Object({
  at: Type.Optional(
    Type.Integer({ ...MOMENT, description: 'Any time in the period, ms since 1970 UTC; the last period that is over where not given' }),
  ),
  area: AreaId,
  issue: Type.Optional(Type.Integer({ minimum: 1, description: 'The figures as they were issued then; those of now where not given' })),
})
export const ReportFileQuery = Type.Object({
  ...ReportQuery.properties,
  lang: Type.Enum(['zh', 'en'], { default: 'zh', description: 'Language of the titles' }),
})
export const ReportIssueView = Type.Object({
  issue: Type.Union([Type.Integer(), Type.Null()], {
    description: 'null: never issued; above 1: issued again because figures had changed',
  }),
  issued_at: Quantity,
  issued_by: Type.Union([Type.String(), Type.Null()]),
  issues: Type.Array(Type.Object({ issue: Type.Integer(), at: Type.Number(), by: Type.String() }), { description: 'Oldest first' }),
  shown: Type.Union([Type.Integer(), Type.Null()], { description: 'The issue whose figures these are; null: those of now' }),
  compared_with: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Of an issue, and of figures of now that are still the last one’s: the issue before; else the last issue',
  }),
  changed: Type.Array(Type.String(), { description: 'Gates whose figures differ from that issue’s' }),
  before: Type.Record(Type.String(), Type.Object(Figures), { description: 'What that issue said of them' }),
  running: Type.Boolean({ description: 'The period is not over' }),
  is_current: Type.Boolean({ description: 'The figures of now are those that were issued last' }),
  content: ReportContent,
})
export type ReportIssueView = Static<typeof ReportIssueView>
