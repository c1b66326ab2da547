import type { TSchema } from 'typebox'

type Described = TSchema & {
  description?: string
  default?: unknown
  env?: string
  type?: string
  enum?: unknown[]
  minimum?: number
  maximum?: number
  properties?: Record<string, Described>
  required?: string[]
  items?: Described
}

/** The settings of a schema as a Markdown table: key, type and limits, default, environment variable, meaning. */
export function settingsTable(schema: TSchema): string {
  const rows = [...rowsOf(schema as Described, '')]
  return ['| setting | value | default | environment | meaning |', '|---|---|---|---|---|', ...rows].join('\n')
}

function* rowsOf(schema: Described, prefix: string): Generator<string> {
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    const path = prefix === '' ? key : `${prefix}.${key}`
    if (member.properties) yield* rowsOf(member, path)
    else if (member.items?.properties) {
      yield row(path, { ...member, type: 'list' })
      yield* rowsOf(member.items, `${path}[]`)
    } else yield row(path, member)
  }
}

function row(path: string, s: Described): string {
  const cells = [
    `\`${path}\``,
    valueOf(s),
    s.default === undefined ? '' : `\`${JSON.stringify(s.default)}\``,
    s.env ? `\`${s.env}\`` : '',
    (s.description ?? '').replaceAll('|', '\\|'),
  ]
  return `| ${cells.join(' | ')} |`
}

function valueOf(s: Described): string {
  if (s.enum) return s.enum.map((v) => `\`${String(v)}\``).join(', ')
  if (s.minimum !== undefined && s.maximum !== undefined) return `${s.type} ${s.minimum}–${s.maximum}`
  if (s.minimum !== undefined) return `${s.type} from ${s.minimum}`
  return s.type ?? ''
}
