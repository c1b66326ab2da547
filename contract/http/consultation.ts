import { type Static, Type } from 'typebox'
import { PageQuery, paged } from '../http.ts'

/** A recorded consultation (会商记录): which time was looked at, by which views, and what was concluded. */

const Ms = Type.Integer({ minimum: 0, maximum: 8.64e15, description: 'ms since 1970 UTC' })
const Text = (most: number) => Type.String({ minLength: 1, maxLength: most, pattern: '\\S' })

export const ConsultationView = Type.Object(
  {
    name: Text(120),
    address: Type.String({ minLength: 1, maxLength: 4000, pattern: '^/(?![/\\\\])', description: 'Path and query within the dashboard' }),
  },
  { additionalProperties: false },
)
export type ConsultationView = Static<typeof ConsultationView>

export const NewConsultation = Type.Object(
  {
    title: Text(200),
    area: Type.Optional(
      Type.Union([Type.Null(), Type.String({ minLength: 1, maxLength: 64 })], { description: 'null: the whole district' }),
    ),
    from: Ms,
    to: Ms,
    views: Type.Array(ConsultationView, { minItems: 1, maxItems: 50 }),
    conclusions: Text(10_000),
  },
  { additionalProperties: false },
)
export type NewConsultation = Static<typeof NewConsultation>

export const Consultation = Type.Object({
  id: Type.String(),
  title: Type.String(),
  area: Type.Union([Type.Null(), Type.String()]),
  from: Ms,
  to: Ms,
  views: Type.Array(ConsultationView),
  conclusions: Type.String(),
  at: Ms,
  by: Type.String(),
  by_name: Type.String(),
})
export type Consultation = Static<typeof Consultation>
export const ConsultationQuery = PageQuery
export const ConsultationList = paged(Consultation)
export type ConsultationList = Static<typeof ConsultationList>
