/** What 2.x and 3.x say by their documents, said by a small server of our own; with a real one, given by the environment, the whole contract. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { good } from '#contract/reading.ts'
import { aggregateContract } from './aggregate.contract.ts'
import { chartContract } from './chart.contract.ts'
import { historyContract, sampleAt } from './history.contract.ts'
import { openHistory } from './open.ts'
import type { History } from './port.ts'

const deps = { log: pino({ level: 'silent' }) }
type Asked = { url: string; authorization: string | undefined; body: string }
type Answer = { status: number; body?: string; headers?: Record<string, string> }

async function peer(answer: (asked: Asked) => Answer): Promise<{ port: number; asked: Asked[]; close: () => Promise<void> }> {
  const asked: Asked[] = []
  const server: Server = createServer((request: IncomingMessage, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const one = { url: request.url ?? '', authorization: request.headers.authorization, body: Buffer.concat(parts).toString() }
      asked.push(one)
      const { status, body = '', headers = {} } = answer(one)
      response.writeHead(status, headers).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

const EMPTY: Answer = { status: 200, body: '{"results":[{"statement_id":0}]}' }
const VERSION_2 = { 'x-influxdb-version': 'v2.7.10', 'x-influxdb-build': 'OSS' }
const VERSION_3 = { 'x-influxdb-version': '3.2.0', 'x-influxdb-build': 'Core' }

async function writing(url: (port: number) => string, write: (asked: Asked) => Answer) {
  const server = await peer((asked) => (asked.url.startsWith('/query') ? EMPTY : write(asked)))
  const history: History = await openHistory(url(server.port), deps)
  const samples = [sampleAt(0, good(1), { gate: 'g' }), sampleAt(1000, good(2), { gate: 'g', metric: 'wind' })]
  const outcome = await history.write(samples, { rewrite: false })
  await history.close()
  await server.close()
  return { outcome, asked: server.asked, samples }
}

const influx2 = (port: number): string => `influx2://:s3cret@127.0.0.1:${port}/sluice?org=hetao`
const influx3 = (port: number): string => `influx3://:s3cret@127.0.0.1:${port}/sluice`

test('2.x is written to by bucket and org, asked by its DBRP mapping, and signed in to by its token', async () => {
  const { outcome, asked } = await writing(influx2, () => ({ status: 204 }))
  expect(outcome).toEqual({ kind: 'kept' })
  const write = asked.find((a) => a.url.startsWith('/api/v2/write'))
  expect(write).toMatchObject({ url: '/api/v2/write?org=hetao&bucket=sluice&precision=ms', authorization: 'Token s3cret' })
  expect(write?.body).toContain('gate,gate=g level_up=1')
  const query = asked.find((a) => a.url === '/query')
  expect(query?.authorization).toBe('Token s3cret')
  expect(new URLSearchParams(query?.body).get('db')).toBe('sluice')
})

test('3.x is written to by database, and signed in to by its token', async () => {
  const { outcome, asked } = await writing(influx3, () => ({ status: 204 }))
  expect(outcome).toEqual({ kind: 'kept' })
  expect(asked.find((a) => a.url.startsWith('/api/v2/write'))).toMatchObject({
    url: '/api/v2/write?bucket=sluice&precision=ms',
    authorization: 'Bearer s3cret',
  })
})

test('a field in conflict in 2.x, and a point beyond its retention, are refused by name and the rest is kept', async () => {
  for (const [field, which, said] of [
    [
      'wind',
      1,
      'failure writing points to database: partial write: field type conflict: input field "wind" on measurement "gate" is type float, already exists as type string dropped=1',
    ],
    ['level_up', 0, 'failure writing points to database: partial write: points beyond retention policy dropped=1'],
  ] as const) {
    const { outcome, samples } = await writing(influx2, ({ body }) =>
      body.includes(`${field}=`)
        ? { status: 422, headers: VERSION_2, body: JSON.stringify({ code: 'unprocessable entity', message: said }) }
        : { status: 204 },
    )
    expect(outcome).toMatchObject({ kind: 'refused', samples: [samples[which]], reason: said })
  }
})

test('a line that 3.x refuses is refused by name, with what it says of the line', async () => {
  const { outcome, samples } = await writing(influx3, ({ body }) =>
    body.includes('wind=')
      ? {
          status: 400,
          headers: VERSION_3,
          body: JSON.stringify({
            error: 'partial write of line protocol occurred',
            data: [
              {
                error_message: "invalid column type for column 'wind', expected iox::column_type::field::string",
                line_number: 1,
                original_line: 'gate…',
              },
            ],
          }),
        }
      : { status: 204 },
  )
  expect(outcome).toMatchObject({ kind: 'refused', samples: [samples[1]], reason: expect.stringContaining("column 'wind'") })
})

test.each([401, 404, 429, 500, 503])('%i leaves the batch with its agent, and the token is in no message', async (status) => {
  for (const url of [influx2, influx3]) {
    const { outcome } = await writing(url, () => ({ status, headers: VERSION_2, body: '{"code":"x","message":"no"}' }))
    expect(outcome).toMatchObject({ kind: 'unavailable', cause: { code: 'HISTORY_UNREACHABLE' } })
    expect(JSON.stringify(outcome)).not.toContain('s3cret')
  }
})

test('a 2.x URL without an org is refused with the form that one has', async () => {
  await expect(openHistory('influx2://:t@localhost/sluice', deps)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    next: expect.stringContaining('org=ORG'),
  })
})

/** A real server, its bucket or database empty and named in the URL. */
const REAL: readonly [name: string, url: string | undefined, token: string | undefined][] = [
  ['InfluxDB 2.x', process.env['SLUICE_TEST_INFLUX2_URL'], process.env['SLUICE_TEST_INFLUX2_TOKEN']],
  ['InfluxDB 3.x', process.env['SLUICE_TEST_INFLUX3_URL'], process.env['SLUICE_TEST_INFLUX3_TOKEN']],
]
for (const [name, url, token] of REAL) {
  describe.runIf(url !== undefined)(name, () => {
    const open = (): Promise<History> => {
      const address = new URL((url ?? '').replace(/^influx/, 'http'))
      if (token !== undefined) address.password = encodeURIComponent(token)
      return openHistory(address.href.replace(/^http/, 'influx'), deps)
    }
    historyContract('keeps the history', open)
    aggregateContract('reckons', open)
    chartContract('draws', open)
  })
}
