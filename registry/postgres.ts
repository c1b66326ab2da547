import { setTimeout as sleep } from 'node:timers/promises'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import type { Logger } from 'pino'
import { Fault, messageOf } from '#contract/fault.ts'
import type { Engine } from './database.ts'
import { MIGRATIONS_SCHEMA, MIGRATIONS_TABLE } from './migrations-table.ts'

const CONNECT_MS = 5000
const STATEMENT_MS = 10_000
/** Beyond the server's own limit, for a server that has vanished without a word. */
const QUERY_MS = 12_000
const CLOSE_MS = 2000
const MIGRATION_MS = 60_000
/** Any number, the same in every process that migrates. */
const MIGRATION_LOCK = 727_100_431

/** Connects on use: a server that is away now is no error. @throws Fault CONFIG_INVALID for a URL that can't be read. */
export function openPostgres(url: string, log: Logger): Engine {
  const place = placeOf(url)
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: QUERY_MS,
    keepAlive: true,
    application_name: 'sluice',
  })
  // Without a listener Node ends the process: the pool's is for idle connections, each client's own for those in use.
  const lost = (error: Error): void => log.warn({ registry: place, error: messageOf(error) }, 'registry: a connection was lost')
  pool.on('error', lost)
  pool.on('connect', (client) => {
    client.on('error', lost)
  })
  const db = drizzle({ client: pool })

  const withClient = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect()
    try {
      const result = await work(client)
      client.release()
      return result
    } catch (error) {
      // After a time-out the connection still waits for its answer: it must not go back to the pool.
      client.release(true)
      throw error
    }
  }

  return {
    place,
    whenAway: 'check that it runs and can be reached; it is asked again at each use',
    query: (work) => work(db),
    transact: (work) => withClient((client) => drizzle({ client }).transaction(work)),
    migrate: (migrationsFolder) => migrateAlone(url, { migrationsFolder, lost }),
    // A server that has vanished does not say goodbye.
    close: () => Promise.race([pool.end(), sleep(CLOSE_MS, undefined, { ref: false })]),
  }
}

/** On a connection of its own, without the short time-outs; the session's end frees the lock whatever happens. */
async function migrateAlone(url: string, options: { migrationsFolder: string; lost: (error: Error) => void }): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: MIGRATION_MS,
    lock_timeout: MIGRATION_MS,
    application_name: 'sluice migrations',
  })
  client.on('error', options.lost)
  try {
    await client.connect()
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await migrate(drizzle({ client }), {
      migrationsFolder: options.migrationsFolder,
      migrationsSchema: MIGRATIONS_SCHEMA,
      migrationsTable: MIGRATIONS_TABLE,
    })
  } finally {
    await client.end().catch(options.lost)
  }
}

function placeOf(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url)
    return `PostgreSQL at ${hostname}:${port || '5432'}${pathname}`
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', 'the registry URL can not be read', 'write postgres://user:password@host:5432/database', { cause })
  }
}
