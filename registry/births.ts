import type { Logger } from 'pino'
import { Value } from 'typebox/value'
import { BirthTable } from '#contract/sparkplug/birth.ts'
import type { Database } from './database.ts'
import type { Registry } from './port.ts'
import { births } from './schema.ts'

export function birthRepository(database: Database, log: Logger): Registry['births'] {
  return {
    put: async ({ group, node, device = '' }, table) => {
      await database.query((db) =>
        db
          .insert(births)
          .values({ group, node, device, table })
          .onConflictDoUpdate({ target: [births.group, births.node, births.device], set: { table } }),
      )
    },
    all: async () => {
      const rows = await database.query((db) => db.select().from(births).orderBy(births.group, births.node, births.device))
      return rows.flatMap(({ group, node, device, table }) => {
        // Written by an older or newer program: a rebirth will bring it again.
        if (!Value.Check(BirthTable, table)) {
          log.warn({ group, node, device }, 'registry: a kept birth is not understood and is left out')
          return []
        }
        return [{ address: { group, node, ...(device === '' ? {} : { device }) }, table }]
      })
    },
  }
}
