import { type Static, Type } from 'typebox'
import { parseConfig } from '#contract/config.ts'
import { Fault } from '#contract/fault.ts'
import { DERIVED_FLOW, metricOf } from '#contract/metrics.ts'
import { HETAO_CALENDAR } from '#contract/periods.ts'
import { readText } from './read-text.ts'

const Value = Type.Object(
  {
    metric: Type.String({ description: 'Name in the metric catalogue' }),
    factor: Type.Optional(
      Type.Number({ description: 'What the number is multiplied by, so that it is in the metric’s unit; 1 without it' }),
    ),
    offset: Type.Optional(Type.Number({ description: 'What is added then: an elevation less the gate’s datum is a level' })),
    gate: Type.Optional(Type.String({ description: 'Where a column belongs to a gate of its own' })),
  },
  { additionalProperties: false },
)

/** What the columns of a file of one's own mean. */
export const ImportMapping = Type.Object(
  {
    encoding: Type.Enum(['utf-8', 'gb18030'], { default: 'utf-8', description: 'gb18030 for what a Chinese Excel has saved as CSV' }),
    separator: Type.String({ default: ',', minLength: 1, maxLength: 1 }),
    time: Type.Object(
      {
        column: Type.String(),
        utc_offset_min: Type.Integer({ default: HETAO_CALENDAR.utc_offset_min, description: 'Of times that name no zone' }),
      },
      { additionalProperties: false },
    ),
    gate: Type.Optional(
      Type.Union([
        Type.String({ description: 'The gate of the whole file' }),
        Type.Object(
          {
            column: Type.String(),
            names: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'What the file calls it: its id' })),
          },
          { additionalProperties: false },
        ),
      ]),
    ),
    long: Type.Optional(
      Type.Object(
        { name: Type.String(), value: Type.String() },
        { additionalProperties: false, description: 'Where a row holds one value and the name of what it is of' },
      ),
    ),
    values: Type.Record(Type.String(), Value, { description: 'By the column’s title; with long by the name in the row' }),
  },
  { additionalProperties: false },
)
export type ImportMapping = Static<typeof ImportMapping>

/** @throws Fault CONFIG_INVALID */
export function readMapping(file: string): ImportMapping {
  const mapping = parseConfig(ImportMapping, { file, text: readText(file) })
  for (const [title, { metric, gate }] of Object.entries(mapping.values)) {
    if (!metricOf(metric) || metric === DERIVED_FLOW)
      throw new Fault(
        'CONFIG_INVALID',
        `${file} values.${title}: ${metric} is no metric that is measured`,
        'name one like level_up or flow',
      )
    if (gate === undefined && mapping.gate === undefined)
      throw new Fault(
        'CONFIG_INVALID',
        `${file} values.${title}: nothing says of which gate it is`,
        'write gate: ID, or gate: { column: TITLE }',
      )
  }
  return mapping
}
