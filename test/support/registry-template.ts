/** An embedded registry with all its tables and nothing in them: making one takes seconds, copying it does not. */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { openRegistry } from '#registry/open.ts'
import { root } from './program.ts'

const MIGRATIONS = join(root, 'registry', 'migrations')
const CACHE = join(root, 'node_modules', '.cache')
const MADE_BY = ['registry/pglite.ts', 'registry/synced-node-fs.ts', 'node_modules/@electric-sql/pglite/package.json']

/** @returns what the template depends on, as a name. */
function version(): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(MIGRATIONS).filter((n) => n.endsWith('.sql'))) hash.update(readFileSync(join(MIGRATIONS, name)))
  for (const path of MADE_BY) hash.update(readFileSync(join(root, path)))
  return hash.digest('hex').slice(0, 16)
}

async function template(): Promise<string> {
  const kept = join(CACHE, `sluice-registry-${version()}`)
  if (existsSync(kept)) return kept
  mkdirSync(CACHE, { recursive: true })
  const making = mkdtempSync(join(CACHE, 'sluice-registry-making-'))
  const registry = await openRegistry(`pglite:${making}`, { log: pino({ level: 'silent' }), migrationsFolder: MIGRATIONS })
  await registry.close()
  try {
    renameSync(making, kept)
  } catch (error) {
    if (!existsSync(kept)) throw error
    // Another test file was quicker.
    rmSync(making, { recursive: true })
  }
  return kept
}

/** Puts an empty registry into `folder`, which must not be there yet. @returns its URL. */
export async function copyRegistry(folder: string): Promise<string> {
  cpSync(await template(), folder, { recursive: true, errorOnExist: true, force: false })
  return `pglite:${folder}`
}
