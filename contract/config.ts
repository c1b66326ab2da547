import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import type { Document, Node } from 'yaml'
import { isMap, LineCounter, parseDocument } from 'yaml'
import { Fault, type FaultCode } from './fault.ts'
import { narrowed } from './narrowed.ts'

export type ConfigSource = {
  /** YAML, possibly empty. */
  text: string
  /** Named in messages. */
  file: string
  /** Variables that may override a setting: those which the schema names as `env`. */
  env?: Readonly<Record<string, string | undefined>>
  code?: FaultCode
}

/**
 * Reads settings: YAML, then the environment, then the schema's defaults; checked as a whole.
 * @throws Fault that lists every mistake with file, line, column, key and what is expected.
 */
export function parseConfig<S extends TSchema>(schema: S, source: ConfigSource): Static<S> {
  const code = source.code ?? 'CONFIG_INVALID'
  const lines = new LineCounter()
  const doc = parseDocument(source.text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const broken = doc.errors.map((e) => `${at(source.file, lines, e.pos[0])} ${e.message}`)
  if (broken.length > 0) throw new Fault(code, broken.join('\n'), 'correct the YAML at the place named')

  const given = withEnvironment(schema, doc.toJS() ?? {}, source.env ?? {})
  const chosen = narrowed(schema, given)
  const value = Value.Default(chosen, given)
  const mistakes = mistakesIn(chosen, value, doc, lines, source)
  if (mistakes.length > 0) throw new Fault(code, mistakes.join('\n'), 'correct the settings named; docs/settings.md lists them all')
  return value as Static<S>
}

/** @returns what says where a setting stands, as `file:line:column:`; the nearest thing around it where the file leaves it out. */
export function placesIn({ text, file }: Pick<ConfigSource, 'text' | 'file'>): (path: readonly string[]) => string {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  return (path) => placeOf(doc, lines, file, path)
}

type ErrorLike = { instancePath: string; keyword: string; message: string; params: object }

function mistakesIn(schema: TSchema, value: unknown, doc: Document, lines: LineCounter, source: ConfigSource): string[] {
  if (Value.Check(schema, value)) return []
  const seen = new Set<string>()
  const mistakes: string[] = []
  // A union says "does not match any" after the members' own errors, which say more: keep the first mistake of a place.
  for (const error of Value.Errors(schema, value) as ErrorLike[]) {
    for (const path of pathsOf(error)) {
      const key = path.join('.')
      if (seen.has(key)) continue
      seen.add(key)
      mistakes.push(`${placeOf(doc, lines, source.file, path)} ${key || '(top level)'}: ${expectation(error)}`)
    }
  }
  return mistakes
}

/** `additionalProperties` and `required` name the object; the person wants the key. */
function pathsOf(error: ErrorLike): string[][] {
  const base = error.instancePath
    .split('/')
    .slice(1)
    .map((p) => p.replaceAll('~1', '/').replaceAll('~0', '~'))
  const params = error.params as { additionalProperties?: string[]; requiredProperties?: string[] }
  const keys = params.additionalProperties ?? params.requiredProperties
  return keys && keys.length > 0 ? keys.map((k) => [...base, k]) : [base]
}

function expectation(error: ErrorLike): string {
  switch (error.keyword) {
    case 'additionalProperties':
    case 'boolean': // TypeBox names the offending member as "schema is false"
      return 'is not a setting'
    case 'required':
      return 'is missing'
    case 'enum':
      return `must be one of ${(error.params as { allowedValues?: unknown[] }).allowedValues?.join(', ')}`
    default:
      return error.message
  }
}

function placeOf(doc: Document, lines: LineCounter, file: string, path: readonly string[]): string {
  for (let depth = path.length; depth > 0; depth--) {
    const part = path.slice(0, depth).map((p) => (/^\d+$/.test(p) ? Number(p) : p))
    const parent = doc.getIn(part.slice(0, -1), true)
    const pair = isMap(parent)
      ? parent.items.find((i) => String((i.key as Node & { value?: unknown }).value) === String(part.at(-1)))
      : undefined
    const node = (pair?.key ?? doc.getIn(part, true)) as Node | undefined
    if (node?.range) return at(file, lines, node.range[0])
  }
  return `${file}:`
}

function at(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset)
  return `${file}:${line}:${col}:`
}

function withEnvironment(schema: TSchema, value: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  const { properties } = schema as { properties?: Record<string, TSchema> }
  if (!properties || typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const result: Record<string, unknown> = { ...value }
  for (const [key, member] of Object.entries(properties)) {
    const { env: name } = member as { env?: string }
    const text = name === undefined ? undefined : env[name]
    if (text !== undefined && text !== '') result[key] = Value.Convert(member, text)
    else if ('properties' in member) {
      // An optional section that nobody gives stays away: made empty, it would lack what it requires.
      const section = withEnvironment(member, result[key] ?? {}, env)
      if (key in result || Object.keys(section as object).length > 0) result[key] = section
    }
  }
  return result
}
