import type { Logger } from 'pino'
import { Fault } from '#contract/fault.ts'
import { openDuckDb } from './duckdb.ts'
import { openInflux } from './influx.ts'
import type { History } from './port.ts'

export type HistoryDeps = { readonly log: Logger }

const STORES: Record<string, (url: string, deps: HistoryDeps) => Promise<History> | History> = {
  'duckdb:': (url, deps) => openDuckDb(url.slice('duckdb:'.length), deps),
  'influx1:': openInflux,
  'influx2:': openInflux,
  'influx3:': openInflux,
}

/**
 * Opens the history that `url` names: `duckdb:PATH` or `influx1://[user:password@]host:port/database`, `influx2://:TOKEN@host:port/BUCKET?org=ORG`,
 * `influx3://:TOKEN@host:port/DATABASE`, the two with `tls=true` for https. A server that is away now is no error:
 * writes are `unavailable` until it is back.
 * @throws Fault URL_UNSUPPORTED, CONFIG_INVALID; for a file also DATA_IN_USE, DATA_CORRUPT, DISK_FULL
 */
export async function openHistory(url: string, deps: HistoryDeps): Promise<History> {
  const open = STORES[/^[a-z0-9]+:/.exec(url)?.[0] ?? '']
  if (!open || url === 'duckdb:')
    throw new Fault(
      'URL_UNSUPPORTED',
      'the history URL is of no known kind',
      'write duckdb:PATH, influx1://user:password@host:8086/database, influx2://:TOKEN@host:8086/BUCKET?org=ORG or influx3://:TOKEN@host:8181/DATABASE',
    )
  return await open(url, deps)
}
