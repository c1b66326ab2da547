import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { bad, good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { bundled } from '#test/support/bundle.ts'
import { tempFolder } from '#test/support/servers.ts'
import { aggregateContract } from './aggregate.contract.ts'
import { chartContract } from './chart.contract.ts'
import { openDuckDb } from './duckdb.ts'
import { collect, historyContract, query, sampleAt, T0 } from './history.contract.ts'
import { openHistory } from './open.ts'

const log = pino({ level: 'silent' })
const root = tempFolder('history')
afterAll(() => rmSync(root, { recursive: true, force: true }))
const open = (name: string) => openHistory(`duckdb:${join(root, name)}`, { log })

historyContract('DuckDB', () => open('contract/history.duckdb'))
// So small that every few writes merge, and most keys are replaced in the archive.
historyContract('DuckDB that merges all the time', () => openDuckDb(join(root, 'merging.duckdb'), { log, mergeRows: 15 }))
aggregateContract('DuckDB reckons', () => open('contract/aggregate.duckdb'))
chartContract('DuckDB draws', () => openDuckDb(join(root, 'chart.duckdb'), { log, mergeRows: 5000 }))
aggregateContract('DuckDB that merges all the time reckons', () =>
  openDuckDb(join(root, 'aggregate-merging.duckdb'), { log, mergeRows: 15 }),
)

test('what was written is there after closing and opening again, the latest too', async () => {
  const samples = [
    sampleAt(0, good(1), { gate: 'g' }),
    sampleAt(1000, bad('timeout'), { gate: 'g' }),
    sampleAt(2000, good(3), { gate: 'h' }),
  ]
  for (const mergeRows of [1, 1000]) {
    const path = join(root, `reopened-${mergeRows}.duckdb`)
    const first = await openDuckDb(path, { log, mergeRows })
    await first.write(samples, { rewrite: false })
    await first.close()
    await first.close()
    expect(existsSync(`${path}.wal`)).toBe(false)
    const second = await openDuckDb(path, { log, mergeRows })
    expect(await collect(second.samples(query('g')))).toEqual(samples.slice(0, 2))
    expect(await second.latest(['g', 'h'])).toEqual(samples.slice(1))
    await second.write([sampleAt(1000, good(2), { gate: 'g' }), sampleAt(3000, good(4), { gate: 'new' })], { rewrite: true })
    expect(await second.latest(['g', 'new'])).toEqual([sampleAt(1000, good(2), { gate: 'g' }), sampleAt(3000, good(4), { gate: 'new' })])
    await second.close()
  }
})

test('a closed history says so', async () => {
  const history = await open('closed.duckdb')
  await history.close()
  expect(await history.write([sampleAt(0, good(1), { gate: 'g' })], { rewrite: false })).toMatchObject({ kind: 'unavailable' })
  await expect(history.latest(['g'])).rejects.toMatchObject({ code: 'HISTORY_UNREACHABLE' })
})

const WRITER = `
  import { openDuckDb } from './history/duckdb.ts'
  import { pino } from 'pino'
  const history = await openDuckDb(process.env.FILE, { log: pino({ level: 'silent' }), mergeRows: 2000 })
  for (let i = Number(process.env.START); ; i++) {
    const t = ${T0} + i * 1000
    const samples = Array.from({ length: 100 }, (_, m) => ({ gate: 'g', metric: 'm' + m, t, received: t, reading: { quality: 'good', value: i } }))
    const outcome = await history.write(samples, { rewrite: false })
    if (outcome.kind !== 'kept') throw outcome.cause
    process.stdout.write(i + '\\n')
  }`
const writer = bundled('duckdb-writer', WRITER)
afterAll(() => rmSync(writer))
const startWriter = (file: string, start: number) =>
  spawn(process.execPath, [writer], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FILE: file, START: String(start) },
  })

test('kill -9 loses nothing that was kept, ten times in a row', async () => {
  const file = join(root, 'killed.duckdb')
  let kept = -1
  for (let round = 0; round < 10; round++) {
    const child = startWriter(file, kept + 1)
    const until = kept + 20 + Math.floor(Math.random() * 60)
    for await (const chunk of child.stdout) {
      kept = Math.max(kept, ...String(chunk).trim().split('\n').map(Number))
      if (kept >= until) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
    const history = await openDuckDb(file, { log })
    const found = await collect(history.samples(query('g', { metrics: ['m0', 'm99'] })))
    // The write under way at the kill may be there or not, but never in part.
    const whole = found.length / 2 - 1
    expect(whole).toBeGreaterThanOrEqual(kept)
    expect(found.map((s) => (s.reading.quality === 'good' ? s.reading.value : -1))).toEqual(
      Array.from({ length: whole + 1 }, (_, i) => [i, i]).flat(),
    )
    kept = whole
    await history.close()
  }
}, 180_000)

test('a second process, and a second opener in this one, are told in a sentence to use InfluxDB', async () => {
  const told = { code: 'DATA_IN_USE', next: expect.stringContaining('influx1://') }
  const file = join(root, 'shared.duckdb')
  const child = startWriter(file, 0)
  await once(child.stdout, 'data')
  await expect(openDuckDb(file, { log })).rejects.toMatchObject(told)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const first = await openDuckDb(file, { log })
  await expect(openDuckDb(file, { log })).rejects.toMatchObject(told)
  await first.close()
  const second = await openDuckDb(file, { log })
  await second.close()
})

test('a damaged file is named, with what to do', async () => {
  const sound = join(root, 'sound.duckdb')
  const history = await openDuckDb(sound, { log, mergeRows: 1 })
  await history.write(
    Array.from({ length: 5000 }, (_, i) => sampleAt(i, good(Math.random()), { gate: 'g' })),
    { rewrite: false },
  )
  await history.close()
  const [garbage, cut, bent] = ['garbage', 'cut', 'bent'].map((name) => join(root, `${name}.duckdb`)) as [string, string, string]
  writeFileSync(garbage, 'this is no database '.repeat(500))
  copyFileSync(sound, cut)
  truncateSync(cut, 9000)
  copyFileSync(sound, bent)
  truncateSync(bent, Math.floor(statSync(bent).size / 2))
  for (const file of [garbage, cut, bent]) {
    const using = openDuckDb(file, { log }).then(async (h) => {
      try {
        await h.range(query('g'))
      } finally {
        await h.close()
      }
    })
    await expect(using).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      message: expect.stringContaining(file),
      next: expect.stringContaining('backup'),
    })
  }
})

test('an empty file, as a power cut leaves it, is a new history; a folder is told of', async () => {
  writeFileSync(join(root, 'empty.duckdb'), '')
  const history = await open('empty.duckdb')
  expect(await history.latest(['g'])).toEqual([])
  await history.close()
  await expect(openDuckDb(root, { log })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('reads go on while samples are written and merged', async () => {
  const history = await openDuckDb(join(root, 'busy.duckdb'), { log, mergeRows: 500 })
  let writing = true
  const reads = (async () => {
    let seen = 0
    while (writing) {
      const found = await collect(history.samples(query('g')))
      expect(found.length).toBeGreaterThanOrEqual(seen)
      expect(new Set(found.map((s) => s.t)).size).toBe(found.length)
      seen = found.length
      await setImmediate()
    }
  })()
  try {
    for (let i = 0; i < 100; i++) {
      const batch = Array.from({ length: 50 }, (_, k) => sampleAt(i * 500 + k * 10, good(i), { gate: 'g' }))
      expect(await history.write(batch, { rewrite: false })).toEqual({ kind: 'kept' })
    }
  } finally {
    writing = false
  }
  await reads
  expect(await collect(history.samples(query('g', { to: unixMs(T0 + 1e9) })))).toHaveLength(5000)
  await history.close()
})
