import { Fault } from '#contract/fault.ts'

/** What differs between InfluxDB 1.x, 2.x and 3.x. All three answer InfluxQL at `/query` and take line protocol. */
export type InfluxAddress = {
  readonly version: 1 | 2 | 3
  readonly base: string
  /** The database; in 2.x the bucket, which a DBRP mapping of the same name makes a database for InfluxQL. */
  readonly database: string
  readonly writePath: string
  readonly headers: Readonly<Record<string, string>>
  /** For messages: holds neither password nor token. */
  readonly place: string
}

const FORMS = {
  1: 'influx1://user:password@host:8086/database',
  2: 'influx2://:TOKEN@host:8086/BUCKET?org=ORG',
  3: 'influx3://:TOKEN@host:8181/DATABASE',
} as const
const PORTS = { 1: '8086', 2: '8086', 3: '8181' } as const

/** @throws Fault CONFIG_INVALID */
export function parseInfluxUrl(text: string): InfluxAddress {
  const version = text.startsWith('influx3:') ? 3 : text.startsWith('influx2:') ? 2 : 1
  try {
    const url = new URL(text.replace(/^influx\d:/, 'http:'))
    const database = decodeURIComponent(url.pathname.slice(1))
    if (database === '' || database.includes('/')) throw new Error('it names no database')
    const org = url.searchParams.get('org')
    if (version === 2 && !org) throw new Error('it names no org')
    const host = `${url.hostname}:${url.port || PORTS[version]}`
    return {
      version,
      base: `${url.searchParams.get('tls') === 'true' ? 'https' : 'http'}://${host}`,
      database,
      writePath: writePathOf(version, { database, org: org ?? '' }),
      headers: headersOf(version, { name: decodeURIComponent(url.username), secret: decodeURIComponent(url.password) }),
      place: `InfluxDB at ${host}/${database}`,
    }
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', 'the history URL can not be read', `write ${FORMS[version]}`, { cause })
  }
}

function writePathOf(version: 1 | 2 | 3, { database, org }: { database: string; org: string }): string {
  if (version === 1) return `/write?${new URLSearchParams({ db: database, precision: 'ms' })}`
  return `/api/v2/write?${new URLSearchParams({ ...(version === 2 ? { org } : {}), bucket: database, precision: 'ms' })}`
}

function headersOf(version: 1 | 2 | 3, { name, secret }: { name: string; secret: string }): Record<string, string> {
  if (version === 1) return name === '' ? {} : { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}` }
  const token = secret || name
  return token === '' ? {} : { authorization: `${version === 2 ? 'Token' : 'Bearer'} ${token}` }
}
