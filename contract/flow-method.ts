/** How a structure's discharge is found, as analysts set it and the registry keeps it. */
import { type Static, Type } from 'typebox'

const Positive = Type.Number({ exclusiveMinimum: 0 })
const RatingCurve = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 60, description: 'As the station’s books call it' }),
    from: Type.Integer({ description: 'In force from, ms since 1970 UTC' }),
    to: Type.Union([Type.Integer(), Type.Null()], { description: 'Until, exclusive; null while in force' }),
    uncertainty: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Relative, about 95 %' })),
    shape: Type.Union([
      Type.Object(
        {
          kind: Type.Literal('table'),
          points: Type.Array(
            Type.Object({ level_m: Type.Number(), flow_m3s: Type.Number({ minimum: 0 }) }, { additionalProperties: false }),
            {
              minItems: 2,
              maxItems: 500,
            },
          ),
        },
        { additionalProperties: false },
      ),
      Type.Object(
        {
          kind: Type.Literal('formula'),
          coefficient: Positive,
          zero_flow_level_m: Type.Number(),
          exponent: Type.Number({ minimum: 1, maximum: 3 }),
          lowest_m: Type.Number(),
          highest_m: Type.Number(),
        },
        { additionalProperties: false },
      ),
    ]),
    shifts: Type.Optional(
      Type.Array(Type.Object({ from: Type.Integer(), shift_m: Type.Number() }, { additionalProperties: false }), { maxItems: 500 }),
    ),
  },
  { additionalProperties: false },
)

/** Widths and numbers of leaves come from the district's own table; levels are above the structure's datum. */
export const FlowFormula = Type.Union(
  [
    Type.Object(
      { kind: Type.Literal('sluice'), method: Type.Union([Type.Literal('swamee'), Type.Literal('energy-momentum')]) },
      { additionalProperties: false },
    ),
    Type.Object(
      { kind: Type.Literal('radial'), trunnion_height_m: Positive, coefficient: Type.Optional(Positive) },
      { additionalProperties: false },
    ),
    Type.Object(
      {
        kind: Type.Literal('broad-crested'),
        width_m: Positive,
        crest_length_m: Type.Optional(Positive),
        coefficient: Type.Optional(Positive),
      },
      { additionalProperties: false },
    ),
    Type.Object({ kind: Type.Literal('sharp-crested'), width_m: Positive, crest_height_m: Positive }, { additionalProperties: false }),
    Type.Object({ kind: Type.Literal('v-notch') }, { additionalProperties: false }),
    Type.Object(
      { kind: Type.Literal('parshall'), throat: Type.String({ description: 'Size by its throat: 1ft, 2ft …' }) },
      { additionalProperties: false },
    ),
    Type.Object(
      {
        kind: Type.Literal('channel'),
        bed_width_m: Positive,
        side_slope: Type.Number({ minimum: 0, description: 'Horizontal by vertical' }),
        slope: Positive,
        roughness: Positive,
      },
      { additionalProperties: false },
    ),
    Type.Object(
      { kind: Type.Literal('rated'), curves: Type.Array(RatingCurve, { minItems: 1, maxItems: 50 }) },
      { additionalProperties: false },
    ),
  ],
  { description: 'Published method and its geometry' },
)
export type FlowFormula = Static<typeof FlowFormula>

export const FlowMethod = Type.Object(
  {
    structure: Type.String(),
    from: Type.Integer({ description: 'In force from, ms since 1970 UTC, until the next one of the structure' }),
    formula: FlowFormula,
    sill_m: Type.Optional(Type.Number({ description: 'Elevation of sill, crest or bed, where it is not the structure’s own sill' })),
    factor: Type.Number({ exclusiveMinimum: 0, maximum: 10, default: 1, description: 'On the method’s discharge; 1 is as published' }),
    uncertainty: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
      default: null,
      description: 'Relative, about 95 %, of a calibrated factor; null takes the method’s own',
    }),
    source: Type.Union([Type.Literal('default'), Type.Literal('published'), Type.Literal('calibrated')], {
      description: 'default: nobody has set one, Swamee from the district’s geometry',
    }),
    note: Type.String({ maxLength: 500, default: '' }),
  },
  { additionalProperties: false },
)
export type FlowMethod = Static<typeof FlowMethod>

/** What holds where nobody has set a method. */
export const defaultFlowMethod = (structure: string): FlowMethod => ({
  structure,
  from: 0,
  formula: { kind: 'sluice', method: 'swamee' },
  factor: 1,
  uncertainty: null,
  source: 'default',
  note: '',
})

/** @param methods of one structure, by their date and of one date in the order in which they were set. */
export const flowMethodAt = (methods: readonly FlowMethod[], structure: string, t: number): FlowMethod =>
  methods.findLast((m) => m.from <= t) ?? keptDefault(structure)

/** Asked for each reading; there are as many as structures. */
const DEFAULTS = new Map<string, FlowMethod>()
const MOST_DEFAULTS = 100_000

function keptDefault(structure: string): FlowMethod {
  const known = DEFAULTS.get(structure)
  if (known) return known
  const method = defaultFlowMethod(structure)
  if (DEFAULTS.size >= MOST_DEFAULTS) DEFAULTS.clear()
  DEFAULTS.set(structure, method)
  return method
}
