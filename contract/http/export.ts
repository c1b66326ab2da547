import { type Static, Type } from 'typebox'

/** Long extracts of the history, as files. */

export const EXPORT_FORMATS = ['csv', 'xlsx', 'parquet'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]
export const SL323_TABLES = ['ST_STBPRP_B', 'ST_WAS_R', 'ST_GATE_R', 'ST_RIVER_R'] as const
export type Sl323Table = (typeof SL323_TABLES)[number]

const Span = {
  from: Type.Integer({ description: 'ms since 1970 UTC, inclusive' }),
  to: Type.Integer({ description: 'ms since 1970 UTC, exclusive' }),
}
const Gates = Type.Optional(
  Type.String({ maxLength: 20_000, description: 'Ids, separated by commas; every gate that the person may see where not given' }),
)
const Id = Type.Optional(
  Type.String({
    pattern: '^[A-Za-z0-9-]{8,64}$',
    description: 'A name of your choice, by which GET and DELETE /exports/:id find this export while it runs',
  }),
)

export const ExportQuery = Type.Object({
  ...Span,
  gates: Gates,
  metrics: Type.String({ minLength: 1, maxLength: 2000, description: 'Names from the metric catalogue, separated by commas' }),
  format: Type.Unsafe<ExportFormat>(Type.Enum([...EXPORT_FORMATS], { default: 'csv' })),
  id: Id,
})
export const Sl323Query = Type.Object({
  ...Span,
  gates: Gates,
  table: Type.Unsafe<Sl323Table>(Type.Enum([...SL323_TABLES])),
  format: Type.Unsafe<'sql' | 'csv'>(Type.Enum(['sql', 'csv'], { default: 'sql' })),
  every_min: Type.Integer({
    default: 60,
    minimum: 1,
    maximum: 1440,
    description: 'One row in so many minutes: the newest reliable values in them',
  }),
  stcd: Type.Optional(
    Type.String({
      maxLength: 20_000,
      description: 'Station codes (测站编码, 8 characters) as gate:code, separated by commas; a gate’s own id where it has 8 at most',
    }),
  ),
  id: Id,
})

export const ExportProgress = Type.Object({
  id: Type.String(),
  rows: Type.Integer(),
  share: Type.Number({ minimum: 0, maximum: 1, description: 'Of the time of all gates' }),
})
export type ExportProgress = Static<typeof ExportProgress>
