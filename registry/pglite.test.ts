import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tempFolder } from '#test/support/servers.ts'
import { openRegistry } from './open.ts'
import { openPglite } from './pglite.ts'
import { MIGRATIONS, registryContract, smallDistrict } from './registry.contract.ts'
import { SyncedNodeFs } from './synced-node-fs.ts'

const log = pino({ level: 'silent' })
const deps = { log, migrationsFolder: MIGRATIONS }
const root = tempFolder('registry')
/** Making a database takes seconds, copying one does not. */
const made = join(root, 'made')
beforeAll(async () => {
  const registry = await openRegistry(`pglite:${made}`, deps)
  await registry.close()
})
function copy(name: string): string {
  cpSync(made, join(root, name), { recursive: true })
  return join(root, name)
}
afterAll(() => rmSync(root, { recursive: true, force: true }))

registryContract('PGlite', () => openRegistry(`pglite:${copy('contract')}`, deps))

test('what was written is there after closing and opening again, and migrating again changes nothing', async () => {
  const url = `pglite:${copy('reopened')}`
  const first = await openRegistry(url, deps)
  await first.district.seed(smallDistrict)
  await first.close()
  await first.close()
  const second = await openRegistry(url, deps)
  expect(await second.district.structures()).toEqual(smallDistrict.structures)
  await second.close()
})

test('PGlite runs with fsync on, by a way that syncs', async () => {
  const engine = await openPglite(copy('synced'), log)
  const shown = await engine.query((db) =>
    db.execute("select name, setting from pg_settings where name in ('fsync', 'wal_sync_method') order by name"),
  )
  expect(shown).toMatchObject({
    rows: [
      { name: 'fsync', setting: 'on' },
      { name: 'wal_sync_method', setting: 'fsync' },
    ],
  })
  expect(SyncedNodeFs.startParams(PGlite.defaultStartParams)).not.toContain('-F')
  await engine.close()
})

test('a second opener is told in a sentence to use PostgreSQL, and gets it once the first has closed', async () => {
  const url = `pglite:${copy('shared')}`
  const first = await openRegistry(url, deps)
  await expect(openRegistry(url, deps)).rejects.toMatchObject({ code: 'DATA_IN_USE', next: expect.stringContaining('postgres://') })
  await first.close()
  const second = await openRegistry(url, deps)
  await second.close()
})

test('a process that was killed leaves no lock, and what it had filed is there', async () => {
  const folder = copy('killed')
  const program = `
    import { openRegistry } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
    import { pino } from 'pino'
    const registry = await openRegistry(${JSON.stringify(`pglite:${folder}`)}, { log: pino({ level: 'silent' }), migrationsFolder: ${JSON.stringify(MIGRATIONS)} })
    for (let i = 0; ; i++) {
      await registry.deadLetters.add([{ group: 'g', node: 'n', device: null, metric: null, reason: 'r' + i, payload: '' }], i)
      process.stdout.write(i + '\\n')
    }`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  let filed = -1
  for await (const chunk of child.stdout) {
    filed = Math.max(filed, ...String(chunk).trim().split('\n').map(Number))
    if (filed >= 20 && !child.killed) {
      await expect(openRegistry(`pglite:${folder}`, deps)).rejects.toMatchObject({ code: 'DATA_IN_USE' })
      child.kill('SIGKILL')
    }
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  const registry = await openRegistry(`pglite:${folder}`, deps)
  const { total } = await registry.deadLetters.list({ limit: 1, offset: 0 })
  expect(total).toBeGreaterThanOrEqual(filed + 1)
  await registry.close()
  expect(readdirSync(join(folder, 'lock'))).toEqual([])
})

test('a database whose making was cut off is made again', async () => {
  const folder = copy('cut-off')
  rmSync(join(folder, 'data', 'global'), { recursive: true })
  writeFileSync(join(folder, 'creating'), '')
  const second = await openRegistry(`pglite:${folder}`, deps)
  expect(await second.district.areas()).toEqual([])
  await second.close()
  expect(existsSync(join(folder, 'creating'))).toBe(false)
})

test('a damaged database is named, with what to do, and its lock is given back', async () => {
  const folder = copy('damaged')
  truncateSync(join(folder, 'data', 'global', 'pg_control'), 100)
  const opening = openRegistry(`pglite:${folder}`, deps)
  await expect(opening).rejects.toMatchObject({
    code: 'DATA_CORRUPT',
    message: expect.stringContaining(folder),
    next: expect.stringContaining('backup'),
  })
  expect(readdirSync(join(folder, 'lock'))).toEqual([])
})

test('a path that can hold no folder is told of', async () => {
  const file = join(root, 'a-file')
  writeFileSync(file, '')
  await expect(openRegistry(`pglite:${file}`, deps)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(file),
  })
})

test('audit entries can not be changed or removed', async () => {
  const engine = await openPglite(copy('audit'), log)
  await engine.query((db) => db.execute("insert into audit (at, who, action, subject, details) values (1, 'wang', 'a', 's', '{}')"))
  for (const statement of ["update audit set who = 'li'", 'delete from audit', 'truncate audit']) {
    await expect(engine.query((db) => db.execute(statement))).rejects.toMatchObject({ cause: { message: 'audit is append-only' } })
  }
  await engine.close()
})

test('a URL of another kind is refused', async () => {
  await expect(openRegistry('mysql://localhost/sluice', deps)).rejects.toMatchObject({ code: 'URL_UNSUPPORTED' })
  await expect(openRegistry('pglite:', deps)).rejects.toMatchObject({ code: 'URL_UNSUPPORTED' })
})
