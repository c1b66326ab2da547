import { createServer, type Server } from 'node:http'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bad, good } from '#contract/reading.ts'
import { freePort, type RealServer, startInflux1 } from '#test/support/servers.ts'
import { aggregateContract } from './aggregate.contract.ts'
import { chartContract } from './chart.contract.ts'
import { collect, historyContract, query, sampleAt, T0 } from './history.contract.ts'
import { openHistory } from './open.ts'
import type { History } from './port.ts'

const deps = { log: pino({ level: 'silent' }) }

describe('InfluxDB 1.x', () => {
  let server: RealServer
  let history: History
  beforeAll(async () => {
    server = await startInflux1()
    history = await openHistory(server.url, deps)
  })
  afterAll(async () => {
    await history.close()
    await server.stop()
  })
  const base = (): string => `http://127.0.0.1:${server.port}`
  const statement = async (q: string): Promise<void> => {
    const reply = await fetch(`${base()}/query?db=sluice&q=${encodeURIComponent(q)}`, { method: 'POST' })
    // InfluxDB sends the status before it does the work: only the end of the body says that it is done.
    const text = await reply.text()
    if (!reply.ok) throw new Error(text)
  }
  const byHand = async (lines: string): Promise<void> => {
    const reply = await fetch(`${base()}/write?db=sluice&precision=ms`, { method: 'POST', body: lines })
    if (reply.status !== 204) throw new Error(await reply.text())
  }

  historyContract('keeps the history', () => openHistory(server.url, deps))
  chartContract('draws', () => openHistory(`influx1://127.0.0.1:${server.port}/chart`, deps))
  aggregateContract('reckons', () => openHistory(`influx1://127.0.0.1:${server.port}/aggregate`, deps))

  test('a sample of another type than its field is refused by name; the rest of the batch is kept', async () => {
    const gate = 'conflict'
    await byHand(`gate,gate=${gate} velocity="fast" ${T0}`)
    const samples = Array.from({ length: 50 }, (_, i) =>
      ['level_up', 'velocity', 'flow'].map((metric) => sampleAt(i * 1000, good(i), { gate, metric })),
    ).flat()
    const outcome = await history.write(samples, { rewrite: false })
    expect(outcome).toMatchObject({ kind: 'refused', reason: expect.stringContaining('field type conflict') })
    expect(outcome.kind === 'refused' && new Set(outcome.samples)).toEqual(new Set(samples.filter((s) => s.metric === 'velocity')))
    expect(await collect(history.samples(query(gate, { metrics: ['level_up', 'velocity', 'flow'] })))).toHaveLength(100)
    expect(await history.latest([gate])).toHaveLength(2)
  })

  test('only what lies in the shard of the conflict is refused', async () => {
    const gate = 'conflict-in-a-shard'
    await byHand(`gate,gate=${gate} wind="strong" ${T0}`)
    const monthLater = 30 * 24 * 3_600_000
    const here = Array.from({ length: 5 }, (_, i) => sampleAt(i * 1000, good(i), { gate, metric: 'wind' }))
    const there = Array.from({ length: 5 }, (_, i) => sampleAt(monthLater + i * 1000, good(i), { gate, metric: 'wind' }))
    const outcome = await history.write([...here, ...there], { rewrite: false })
    expect(outcome.kind === 'refused' && new Set(outcome.samples)).toEqual(new Set(here))
    expect(await history.latest([gate])).toEqual(there.slice(-1))
  })

  test('two fields in conflict and one that no store can hold are each refused', async () => {
    const gate = 'conflicts'
    await byHand(`gate,gate=${gate} one="a",two_q="b" ${T0}`)
    const samples = ['one', 'two', 'three', 'four'].map((metric) =>
      sampleAt(0, metric === 'four' ? good(Number.NaN) : bad('timeout'), { gate, metric }),
    )
    const values = samples.map((s) => ({ ...s, reading: s.metric === 'one' ? good(1) : s.reading }))
    const outcome = await history.write(values, { rewrite: false })
    expect(outcome.kind === 'refused' && outcome.samples.map((s) => s.metric).toSorted()).toEqual(['four', 'one', 'two'])
    expect(await collect(history.samples(query(gate, { metrics: ['three'] })))).toHaveLength(1)
  })

  test('a server that is killed takes nothing and says so; started again it has what was kept and takes the rest', async () => {
    const gate = 'killed'
    const [first, second] = [sampleAt(0, good(1), { gate }), sampleAt(1000, good(2), { gate })]
    expect(await history.write([first], { rewrite: false })).toEqual({ kind: 'kept' })
    await server.kill()
    try {
      expect(await history.write([second], { rewrite: false })).toMatchObject({
        kind: 'unavailable',
        cause: { code: 'HISTORY_UNREACHABLE' },
      })
      for (const call of [history.latest([gate]), history.range(query(gate)), history.ready(), collect(history.samples(query(gate)))])
        await expect(call).rejects.toMatchObject({ name: 'Fault', code: 'HISTORY_UNREACHABLE' })
    } finally {
      await server.start()
    }
    expect(await history.write([second], { rewrite: false })).toEqual({ kind: 'kept' })
    expect(await collect(history.samples(query(gate)))).toEqual([first, second])
  })

  test('a server that is away at the start is no error', async () => {
    await server.kill()
    let early: History | undefined
    try {
      early = await openHistory(server.url, deps)
      expect((await early.write([sampleAt(0, good(1), { gate: 'early' })], { rewrite: false })).kind).toBe('unavailable')
    } finally {
      await server.start()
    }
    expect(await early.write([sampleAt(0, good(1), { gate: 'early' })], { rewrite: false })).toEqual({ kind: 'kept' })
    await early.close()
  })

  test('a database that is missing or was dropped is made', async () => {
    const url = `influx1://127.0.0.1:${server.port}/another%20one`
    const another = await openHistory(url, deps)
    expect(await another.write([sampleAt(0, good(1), { gate: 'g' })], { rewrite: false })).toEqual({ kind: 'kept' })
    await statement('DROP DATABASE "another one"')
    expect(await another.write([sampleAt(0, good(2), { gate: 'g' })], { rewrite: false })).toEqual({ kind: 'kept' })
    expect(await another.latest(['g'])).toEqual([sampleAt(0, good(2), { gate: 'g' })])
    await statement('DROP DATABASE "another one"')
    expect(await another.latest(['g'])).toEqual([])
    await another.close()
  })

  test('points older than the retention are refused, the others kept', async () => {
    await statement('CREATE DATABASE short WITH DURATION 1h')
    const short = await openHistory(`influx1://127.0.0.1:${server.port}/short`, deps)
    const old = sampleAt(0, good(1), { gate: 'g' })
    const fresh = sampleAt(Date.now() - T0, good(2), { gate: 'g' })
    expect(await short.write([old, fresh], { rewrite: false })).toMatchObject({ kind: 'refused', samples: [old] })
    expect(await short.latest(['g'])).toEqual([fresh])
    await short.close()
  })

  test('more samples than go into one request are kept', async () => {
    const gate = 'large'
    const samples = Array.from({ length: 12_000 }, (_, i) => sampleAt(i, good(i), { gate }))
    expect(await history.write(samples, { rewrite: false })).toEqual({ kind: 'kept' })
    expect(await collect(history.samples(query(gate)))).toHaveLength(12_000)
  })
})

describe('what is not InfluxDB’s verdict on the data', () => {
  const answers: [name: string, status: number, body: string, headers: Record<string, string>][] = [
    ['500', 500, '{"error":"timeout"}', { 'x-influxdb-version': '1.6.7' }],
    ['503', 503, 'Service Unavailable', {}],
    ['401', 401, '{"error":"authorization failed"}', { 'x-influxdb-version': '1.6.7' }],
    ['a proxy’s 400', 400, '<h1>400 Bad Request</h1>', {}],
    ['a proxy’s 200', 200, 'please sign in', {}],
    ['a redirect', 302, '', { location: 'http://127.0.0.1:1/' }],
    [
      'a limit on series',
      400,
      '{"error":"partial write: max-series-per-database limit exceeded: (1) dropped=1"}',
      { 'x-influxdb-version': '1.6.7' },
    ],
    ['a 413 for a single sample', 413, 'too large', {}],
  ]
  for (const [name, status, body, headers] of answers) {
    test(`${name} leaves the batch with its agent`, async () => {
      const port = await freePort()
      const server: Server = createServer((request, response) => {
        request.resume()
        response.writeHead(status, headers).end(body)
      })
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
      const history = await openHistory(`influx1://user:secret@127.0.0.1:${port}/sluice`, deps)
      const outcome = await history.write([sampleAt(0, good(1), { gate: 'g' })], { rewrite: false })
      expect(outcome).toMatchObject({ kind: 'unavailable', cause: { name: 'Fault', code: 'HISTORY_UNREACHABLE' } })
      await expect(history.latest(['g'])).rejects.toMatchObject({ name: 'Fault', code: 'HISTORY_UNREACHABLE' })
      expect(JSON.stringify(outcome)).not.toContain('secret')
      await history.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })
  }

  test('a URL that names no database, or a store of another kind, is refused', async () => {
    await expect(openHistory('influx1://localhost:8086', deps)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(openHistory('mongodb://localhost/sluice', deps)).rejects.toMatchObject({ code: 'URL_UNSUPPORTED' })
    await expect(openHistory('duckdb:', deps)).rejects.toMatchObject({ code: 'URL_UNSUPPORTED' })
  })
})
