/** The operations that the API describes of itself, with parameters and a body that its schemas take. */
import type { App } from '#api/app.ts'

export type Json = { readonly [key: string]: unknown }
type Schema = {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema | readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minLength?: number
  readonly minimum?: number
  readonly minItems?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
}
type Parameter = { readonly name: string; readonly in: string; readonly required: boolean; readonly schema: Schema }
type Described = {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Operation = {
  /** As `POST /api/v1/gates/{id}/stop`. */
  readonly name: string
  readonly method: Method
  readonly path: string
  readonly parameters: readonly Parameter[]
  /** Of a body in JSON. */
  readonly body: Schema | undefined
}

export async function operationsOf(app: App): Promise<Operation[]> {
  const { paths } = (await app.inject('/api/openapi.json')).json<{ paths: Record<string, Record<string, Described>> }>()
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase() as Method,
      path,
      parameters,
      body: requestBody?.content['application/json']?.schema,
    })),
  )
}

const WORDS = ['x', 'someone', 'yc-zh-03', '123456', '/x', '0123456789abcdef']

/** @returns a value that the schema takes; of choices the first. */
export function valueFor(schema: Schema): unknown {
  const { anyOf, pattern, items, minimum, exclusiveMinimum } = schema
  if (schema.enum) return schema.enum[0]
  if (anyOf?.[0]) return valueFor(anyOf[0])
  switch (schema.type) {
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((key) => [key, valueFor(schema.properties?.[key] ?? {})]))
    case 'array':
      if (Array.isArray(items)) return items.map(valueFor)
      return Array.from({ length: schema.minItems ?? 0 }, () => valueFor((items ?? {}) as Schema))
    case 'integer':
    case 'number':
      return exclusiveMinimum === undefined ? (minimum ?? 1) : exclusiveMinimum + 1
    case 'boolean':
      return true
    case 'null':
      return null
    case 'string': {
      const word = WORDS.find((w) => w.length >= (schema.minLength ?? 0) && new RegExp(pattern ?? '').test(w))
      if (word === undefined) throw new Error(`no word is like ${pattern}`)
      return word
    }
    default:
      throw new Error(`no value is known for ${JSON.stringify(schema)}`)
  }
}

export type Filled = { readonly method: Method; readonly url: string; readonly payload?: unknown }

/** The operation as a request; `given` replaces parameters and members of the body by name. */
export function fill(operation: Operation, given: Json = {}): Filled {
  const { method, path, parameters, body } = operation
  const textOf = (p: Parameter): string => encodeURIComponent(String(given[p.name] ?? valueFor(p.schema)))
  const filled = parameters.filter((p) => p.in === 'path').reduce((url, p) => url.replace(`{${p.name}}`, textOf(p)), path)
  const query = parameters.filter((p) => p.in === 'query' && (p.required || p.name in given)).map((p) => `${p.name}=${textOf(p)}`)
  const url = query.length > 0 ? `${filled}?${query.join('&')}` : filled
  if (!body) return { method, url }
  const payload = valueFor(body)
  const members = Object.entries(given).filter(([name]) => body.properties?.[name] !== undefined)
  return { method, url, payload: isJson(payload) ? { ...payload, ...Object.fromEntries(members) } : payload }
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** @returns the value with one of its strings, wherever it stands, replaced by `text`: one for each string. */
export function withEachString(value: unknown, text: string): unknown[] {
  if (typeof value === 'string') return [text]
  if (Array.isArray(value)) return value.flatMap((member, i) => withEachString(member, text).map((changed) => value.with(i, changed)))
  if (!isJson(value)) return []
  return Object.entries(value).flatMap(([key, member]) => withEachString(member, text).map((changed) => ({ ...value, [key]: changed })))
}
