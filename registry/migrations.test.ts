import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api'
import { expect, test } from 'vitest'
import { MIGRATIONS } from './registry.contract.ts'
import * as schema from './schema.ts'

test('the migrations make the tables that the code uses', async () => {
  const journal = JSON.parse(readFileSync(join(MIGRATIONS, 'meta', '_journal.json'), 'utf8')) as { entries: { idx: number }[] }
  const last = String(journal.entries.length - 1).padStart(4, '0')
  const migrated = JSON.parse(readFileSync(join(MIGRATIONS, 'meta', `${last}_snapshot.json`), 'utf8')) as ReturnType<
    typeof generateDrizzleJson
  >
  const files = readdirSync(new URL('./tables', import.meta.url)).filter((file) => file.endsWith('.ts'))
  const tables = await Promise.all(files.map((file) => import(`./tables/${file.slice(0, -3)}.ts`) as Promise<object>))
  expect(await generateMigration(migrated, generateDrizzleJson(Object.assign({}, schema, ...tables), migrated.id))).toEqual([])
})
