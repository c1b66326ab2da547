import { type Static, Type } from 'typebox'
import { ID_PATTERN } from './topics.ts'

/** A district as files: `districts/<name>/{areas,canals,sites,structures}.yaml`. The registry is seeded from it, the simulators run it. */

const Id = Type.String({ pattern: ID_PATTERN, description: 'Letters, digits, _ . - ; stands in MQTT topics and never changes' })
const Name = Type.Object(
  {
    zh: Type.String({ minLength: 1, description: 'Name shown in the Chinese interface' }),
    en: Type.String({ minLength: 1, description: 'Name shown in the English interface' }),
  },
  { additionalProperties: false },
)

export const STRUCTURE_TYPES = {
  regulator: { zh: '节制闸', en: 'Check structure' },
  head: { zh: '进水闸', en: 'Head gate' },
  offtake: { zh: '分水闸', en: 'Offtake' },
  spillway: { zh: '泄水闸', en: 'Spillway' },
  tail: { zh: '退水闸', en: 'Tail escape' },
} as const
export type StructureType = keyof typeof STRUCTURE_TYPES

export const Area = Type.Object(
  { id: Id, name: Name, order: Type.Integer({ description: 'Place in lists' }) },
  { additionalProperties: false, description: 'A sub-district (灌域); its id is the Sparkplug group of its sites' },
)

export const Canal = Type.Object(
  {
    id: Id,
    name: Name,
    area: Id,
    parent: Type.Union([Id, Type.Null()], { description: 'The canal that feeds it' }),
    parent_chainage_km: Type.Union([Type.Number(), Type.Null()], { description: 'Where it leaves its parent' }),
    length_km: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()]),
    design_flow_m3s: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()]),
  },
  { additionalProperties: false },
)

export const Site = Type.Object(
  {
    id: Id,
    name: Name,
    area: Id,
    station: Type.String({ description: 'Office in charge (供水所, 枢纽所)' }),
    report_interval_ms: Type.Integer({
      minimum: 100,
      default: 60_000,
      description:
        'Longest silence of a metric of this site in ordinary running, report.silence_ms of its agent; a value older than three of these is STALE',
    }),
  },
  { additionalProperties: false, description: 'One gatehouse: one edge agent; its id is the Sparkplug edge node id' },
)

export const Structure = Type.Object(
  {
    id: Id,
    seed_id: Type.Optional(Type.String({ description: 'Row of the list that the entry was made from' })),
    name: Name,
    provenance: Type.Union([Type.Literal('real'), Type.Literal('named_by_convention'), Type.Literal('invented')], {
      description: 'Of the name only: every geometry figure here is an estimate',
    }),
    area: Id,
    canal: Id,
    site: Id,
    type: Type.Unsafe<StructureType>(Type.Enum(Object.keys(STRUCTURE_TYPES))),
    leaves: Type.Integer({ minimum: 1, maximum: 99 }),
    leaf_width_m: Type.Number({ exclusiveMinimum: 0 }),
    leaf_height_m: Type.Number({ exclusiveMinimum: 0 }),
    design_flow_m3s: Type.Number({ exclusiveMinimum: 0 }),
    chainage_km: Type.Number({ minimum: 0 }),
    sill_m: Type.Number({ description: 'Elevation of the sill' }),
    datum_m: Type.Number({ description: 'Elevation of the zero of level_up and level_down' }),
    design_level_up_m: Type.Number({ description: 'Elevation' }),
    design_level_down_m: Type.Number({ description: 'Elevation' }),
    lat: Type.Number({ minimum: -90, maximum: 90 }),
    lon: Type.Number({ minimum: -180, maximum: 180 }),
  },
  { additionalProperties: false },
)

export const AreasFile = Type.Object({ areas: Type.Array(Area, { minItems: 1 }) }, { additionalProperties: false })
export const CanalsFile = Type.Object({ canals: Type.Array(Canal) }, { additionalProperties: false })
export const SitesFile = Type.Object({ sites: Type.Array(Site, { minItems: 1 }) }, { additionalProperties: false })
export const StructuresFile = Type.Object({ structures: Type.Array(Structure, { minItems: 1 }) }, { additionalProperties: false })

export type Area = Static<typeof Area>
export type Canal = Static<typeof Canal>
export type Site = Static<typeof Site>
export type Structure = Static<typeof Structure>
export type District = { name: string; areas: Area[]; canals: Canal[]; sites: Site[]; structures: Structure[] }

/** @returns one sentence for each reference that leads nowhere and each id that stands twice. */
export function inconsistencies(d: District): string[] {
  const found: string[] = []
  const areas = new Set(d.areas.map((a) => a.id))
  const canals = new Set(d.canals.map((c) => c.id))
  const sites = new Map(d.sites.map((s) => [s.id, s]))
  const twice = (kind: string, ids: string[]): void => {
    for (const id of new Set(ids.filter((x, i) => ids.indexOf(x) !== i))) found.push(`${kind} ${id} stands twice`)
  }
  twice(
    'area',
    d.areas.map((a) => a.id),
  )
  twice(
    'canal',
    d.canals.map((c) => c.id),
  )
  twice(
    'site',
    d.sites.map((s) => s.id),
  )
  twice(
    'structure',
    d.structures.map((s) => s.id),
  )
  for (const c of d.canals) {
    if (!areas.has(c.area)) found.push(`canal ${c.id}: there is no area ${c.area}`)
    if (c.parent !== null && !canals.has(c.parent)) found.push(`canal ${c.id}: there is no parent canal ${c.parent}`)
  }
  for (const s of d.sites) if (!areas.has(s.area)) found.push(`site ${s.id}: there is no area ${s.area}`)
  for (const s of d.structures) {
    const site = sites.get(s.site)
    if (!areas.has(s.area)) found.push(`structure ${s.id}: there is no area ${s.area}`)
    if (!canals.has(s.canal)) found.push(`structure ${s.id}: there is no canal ${s.canal}`)
    if (!site) found.push(`structure ${s.id}: there is no site ${s.site}`)
    else if (site.area !== s.area) found.push(`structure ${s.id} is in area ${s.area}, its site ${site.id} in ${site.area}`)
  }
  return found
}

/**
 * An age beyond which a site's value is STALE, in ms. `toldSilenceMs`: what the agent says of itself (contract/health.ts), which is longer
 * while its data plan runs short.
 */
export const staleAfterMs = (reportIntervalMs: number, toldSilenceMs?: number | null): number =>
  Math.max(reportIntervalMs, toldSilenceMs ?? 0) * 3
