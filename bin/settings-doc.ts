import type { TSchema } from 'typebox'
import { EdgeSettings } from '#edge-agent/settings.ts'
import { DemoSettings, ServiceSettings } from './settings.ts'

/** docs/settings.md, made of the schemas; a test compares it with the file. `npx sluice settings > docs/settings.md` writes it. */
export function settingsDocument(): string {
  return `# Settings

Made of the schemas by \`npx sluice settings\`. A setting is taken from the environment where a variable is named, else from the file, else it is the default. A file with a
mistake is refused with line, column and key; units stand in the names.

## The demo (\`npm start\`)

Environment only.

${settingsTable(DemoSettings)}

## Services of a center (\`sluice broker\`, \`ingest\`, \`api\`, \`seed\`, \`person\`)

One YAML file for all of them; \`deploy/sluice.yaml\` is an example.

${settingsTable(ServiceSettings)}

## An edge agent (\`sluice edge\`)

One YAML file a site.

${settingsTable(EdgeSettings)}
`
}

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
  anyOf?: Described[]
  const?: unknown
  discriminator?: string
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
    } else if (member.items?.discriminator !== undefined) {
      yield row(path, { ...member, type: 'list' })
      yield* rowsOfUnion(member.items, `${path}[]`)
    } else yield row(path, member)
  }
}

/** What all members share comes first, then each member's own under the value of the key that tells them apart. */
function* rowsOfUnion({ anyOf = [], discriminator = '' }: Described, prefix: string): Generator<string> {
  const isShared = (key: string): boolean => {
    const [first, ...others] = anyOf.map((m) => JSON.stringify(m.properties?.[key]))
    return others.every((o) => o === first)
  }
  const only = (member: Described | undefined, shared: boolean): Described => ({
    properties: Object.fromEntries(Object.entries(member?.properties ?? {}).filter(([key]) => isShared(key) === shared)),
  })
  yield* rowsOf(only(anyOf[0], true), prefix)
  for (const member of anyOf)
    yield* rowsOf(only(member, false), `${prefix.slice(0, -1)}${String(member.properties?.[discriminator]?.const)}]`)
}

function row(path: string, s: Described): string {
  const cells = [
    `\`${path}\``,
    valueCell(s),
    s.default === undefined ? '' : `\`${JSON.stringify(s.default)}\``,
    s.env ? `\`${s.env}\`` : '',
    (s.description ?? '').replaceAll('|', '\\|'),
  ]
  return `| ${cells.join(' | ')} |`
}

function valueCell(s: Described): string {
  if (s.const !== undefined) return `\`${String(s.const)}\``
  if (s.enum) return s.enum.map((v) => `\`${String(v)}\``).join(', ')
  if (s.minimum !== undefined && s.maximum !== undefined) return `${s.type} ${s.minimum}–${s.maximum}`
  if (s.minimum !== undefined) return `${s.type} from ${s.minimum}`
  return s.type ?? ''
}
