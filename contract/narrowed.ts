import { type TSchema, Type } from 'typebox'

/**
 * The schema for this very value: of each union with a `discriminator` (the key that tells its members apart), only the member that the value names.
 * So a mistake is told in the words of the kind that was meant, and that kind's defaults are filled in. A member whose discriminator has a
 * default is meant where the key is missing.
 */
export function narrowed(schema: TSchema, value: unknown): TSchema {
  const { type, properties, items, anyOf, discriminator, ...rest } = schema as Parts
  if (anyOf && discriminator !== undefined) return memberFor(anyOf, discriminator, value)
  if (properties && isRecord(value)) {
    const { required = [], ...options } = rest
    const members = Object.entries(properties).map(([key, member]) => {
      const inner = narrowed(member, value[key])
      return [key, required.includes(key) ? inner : Type.Optional(inner)] as const
    })
    return Type.Object(Object.fromEntries(members), options)
  }
  if (items && !Array.isArray(items) && Array.isArray(value) && value.length > 0 && holdsUnion(items)) {
    return Type.Tuple(value.map((item) => narrowed(items, item)))
  }
  return schema
}

type Parts = {
  type?: unknown
  properties?: Record<string, TSchema>
  items?: TSchema | TSchema[]
  anyOf?: TSchema[]
  discriminator?: string
  required?: string[]
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const holdsUnion = (schema: TSchema): boolean => JSON.stringify(schema).includes('"discriminator":')

function memberFor(members: readonly TSchema[], discriminator: string, value: unknown): TSchema {
  const kinds = members.map((member) => {
    const key = (member as Parts).properties?.[discriminator] as { const?: unknown; default?: unknown } | undefined
    return { member, name: key?.const, byDefault: key?.default }
  })
  const named = isRecord(value) ? value[discriminator] : undefined
  const meant = kinds.find((k) => (named === undefined ? k.byDefault !== undefined : k.name === named))
  if (meant) return narrowed(meant.member, value)
  return Type.Object({ [discriminator]: Type.Enum(kinds.map((k) => String(k.name))) })
}
