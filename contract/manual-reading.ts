import { type Static, Type } from 'typebox'

export const MANUAL_KINDS = {
  level_up: { unit: 'm', label: { zh: '闸上水尺', en: 'Staff gauge, upstream' } },
  level_down: { unit: 'm', label: { zh: '闸下水尺', en: 'Staff gauge, downstream' } },
  flow: { unit: 'm³/s', label: { zh: '流速仪测流', en: 'Current meter' } },
} as const
export type ManualKind = keyof typeof MANUAL_KINDS

/** What a person read at a staff gauge or measured with a current meter (人工观测). A source of its own: it never becomes a sample. */
export const ManualReading = Type.Object(
  {
    gate: Type.String({ minLength: 1, maxLength: 64 }),
    kind: Type.Unsafe<ManualKind>(Type.Enum(Object.keys(MANUAL_KINDS))),
    t: Type.Integer({ minimum: 0, maximum: 4_102_444_800_000, description: 'ms since 1970 UTC' }),
    value: Type.Number({ description: 'Level in m above the structure’s datum, or flow in m³/s' }),
    uncertainty: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Of a gauging, relative, about 95 %' })),
    observer: Type.String({ minLength: 1, maxLength: 100 }),
    note: Type.String({ maxLength: 500, default: '' }),
  },
  { additionalProperties: false },
)
export type ManualReading = Static<typeof ManualReading>
