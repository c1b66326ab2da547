import { eq } from 'drizzle-orm'
import type { Area, Canal, Site, Structure } from '#contract/district.ts'
import type { Database, Queries } from './database.ts'
import type { Registry } from './port.ts'
import { areas, canals, sites, structures } from './schema.ts'

/** PostgreSQL takes 65,535 parameters in one statement; a structure has 20. */
const ROWS_PER_INSERT = 1000

export function districtRepository(database: Database): Registry['district'] {
  return {
    seed: (district) =>
      database.transact(async (db) => {
        // Most starts find all of it there: then nothing is written.
        const absent = async <T extends { id: string }>(
          table: typeof areas | typeof canals | typeof sites | typeof structures,
          all: readonly T[],
        ): Promise<T[]> => {
          const known = new Set((await db.select({ id: table.id }).from(table)).map((row) => row.id))
          return all.filter((row) => !known.has(row.id))
        }
        let added = 0
        for (const rows of chunks((await absent(areas, district.areas)).map(fromArea)))
          added += (await db.insert(areas).values(rows).onConflictDoNothing().returning({ id: areas.id })).length
        for (const rows of chunks((await absent(canals, district.canals)).map(fromCanal)))
          added += (await db.insert(canals).values(rows).onConflictDoNothing().returning({ id: canals.id })).length
        for (const rows of chunks((await absent(sites, district.sites)).map(fromSite)))
          added += (await db.insert(sites).values(rows).onConflictDoNothing().returning({ id: sites.id })).length
        for (const rows of chunks((await absent(structures, district.structures)).map(fromStructure)))
          added += (await db.insert(structures).values(rows).onConflictDoNothing().returning({ id: structures.id })).length
        return added
      }),
    areas: async () => (await database.query((db) => db.select().from(areas).orderBy(areas.position, areas.id))).map(toArea),
    canals: async () => (await database.query((db) => db.select().from(canals).orderBy(canals.id))).map(toCanal),
    sites: async () => (await database.query((db) => db.select().from(sites).orderBy(sites.id))).map(toSite),
    structures: async () => (await database.query((db) => db.select().from(structures).orderBy(structures.id))).map(toStructure),
    structure: async (id) => {
      const [row] = await database.query((db) => db.select().from(structures).where(eq(structures.id, id)))
      return row && toStructure(row)
    },
    addSite: async (site) => {
      await database.query((db: Queries) => db.insert(sites).values(fromSite(site)))
    },
    addStructure: async (structure) => {
      await database.query((db: Queries) => db.insert(structures).values(fromStructure(structure)))
    },
  }
}

function* chunks<T>(rows: readonly T[]): Generator<T[]> {
  for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) yield rows.slice(i, i + ROWS_PER_INSERT)
}

type Named = { nameZh: string; nameEn: string }
const fromName = (name: Area['name']): Named => ({ nameZh: name.zh, nameEn: name.en })
const toName = (row: Named): Area['name'] => ({ zh: row.nameZh, en: row.nameEn })

const fromArea = (a: Area): typeof areas.$inferInsert => ({ id: a.id, ...fromName(a.name), position: a.order })
const toArea = (row: typeof areas.$inferSelect): Area => ({ id: row.id, name: toName(row), order: row.position })

const fromCanal = (c: Canal): typeof canals.$inferInsert => ({
  id: c.id,
  ...fromName(c.name),
  area: c.area,
  parent: c.parent,
  parentChainageKm: c.parent_chainage_km,
  lengthKm: c.length_km,
  designFlowM3s: c.design_flow_m3s,
})
const toCanal = (row: typeof canals.$inferSelect): Canal => ({
  id: row.id,
  name: toName(row),
  area: row.area,
  parent: row.parent,
  parent_chainage_km: row.parentChainageKm,
  length_km: row.lengthKm,
  design_flow_m3s: row.designFlowM3s,
})

const fromSite = (s: Site): typeof sites.$inferInsert => ({
  id: s.id,
  ...fromName(s.name),
  area: s.area,
  station: s.station,
  reportIntervalMs: s.report_interval_ms,
})
const toSite = (row: typeof sites.$inferSelect): Site => ({
  id: row.id,
  name: toName(row),
  area: row.area,
  station: row.station,
  report_interval_ms: row.reportIntervalMs,
})

const fromStructure = (s: Structure): typeof structures.$inferInsert => ({
  id: s.id,
  seedId: s.seed_id ?? null,
  ...fromName(s.name),
  provenance: s.provenance,
  area: s.area,
  canal: s.canal,
  site: s.site,
  type: s.type,
  leaves: s.leaves,
  leafWidthM: s.leaf_width_m,
  leafHeightM: s.leaf_height_m,
  designFlowM3s: s.design_flow_m3s,
  chainageKm: s.chainage_km,
  sillM: s.sill_m,
  datumM: s.datum_m,
  designLevelUpM: s.design_level_up_m,
  designLevelDownM: s.design_level_down_m,
  lat: s.lat,
  lon: s.lon,
})
const toStructure = (row: typeof structures.$inferSelect): Structure => ({
  id: row.id,
  ...(row.seedId === null ? {} : { seed_id: row.seedId }),
  name: toName(row),
  provenance: row.provenance,
  area: row.area,
  canal: row.canal,
  site: row.site,
  type: row.type,
  leaves: row.leaves,
  leaf_width_m: row.leafWidthM,
  leaf_height_m: row.leafHeightM,
  design_flow_m3s: row.designFlowM3s,
  chainage_km: row.chainageKm,
  sill_m: row.sillM,
  datum_m: row.datumM,
  design_level_up_m: row.designLevelUpM,
  design_level_down_m: row.designLevelDownM,
  lat: row.lat,
  lon: row.lon,
})
