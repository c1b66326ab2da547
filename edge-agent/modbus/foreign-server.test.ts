import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { WordOrder, WordType } from '#contract/profile.ts'
import { registersOf } from '#contract/profile.ts'
import { tcpBus } from '#test/support/modbus.ts'
import { freePort, until } from '#test/support/servers.ts'
import { Bus } from './bus.ts'
import { rawNumber } from './decode.ts'

const program = join(import.meta.dirname, '..', '..', 'test', 'support', 'foreign_modbus.py')
type Row = [type: WordType, order: WordOrder, address: number, value: number]
let table: Row[] = []
let bus: Bus
let end: () => Promise<unknown>

beforeAll(async () => {
  const port = await freePort()
  // Debian's own Python: another one does not see its packages.
  const server = spawn('/usr/bin/python3', [program, String(port)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  server.stdout.on('data', (text: Buffer) => {
    said += text.toString()
  })
  bus = Bus.open(tcpBus(port), pino({ level: 'silent' }))
  end = async () => {
    bus.close()
    const ended = once(server, 'exit')
    server.kill()
    await ended
  }
  await until(async () => {
    table = JSON.parse(said) as Row[]
    expect((await bus.read({ unit: 1, space: 'holding', address: 0, words: 1 })).kind).toBe('words')
  })
})
afterAll(() => end())

test.each(['holding', 'input'] as const)(
  'every type in every word order is read from the %s registers of a foreign server',
  async (space) => {
    expect(table.length).toBe(4 * 8 + 3)
    for (const [type, order, address, value] of table) {
      const reply = await bus.read({ unit: 1, space, address, words: registersOf(type) })
      if (reply.kind !== 'words') expect.fail(`${type} ${order}: ${reply.reason}`)
      const raw = rawNumber(reply.words, { type, order, space, bit: 0, bits: 16 })
      expect(raw, `${type} ${order}`).toBe(type === 'float32' ? Math.fround(value) : value)
    }
  },
)

test.each(['coil', 'discrete'] as const)(
  'bits are read from the %ss of a foreign server, and beyond the last one is refused',
  async (space) => {
    const reply = await bus.read({ unit: 1, space, address: 1, words: 30 })
    expect(reply).toEqual({ kind: 'words', words: Array.from({ length: 30 }, (_, i) => Number((i + 1) % 3 === 0)) })
    expect(await bus.read({ unit: 1, space, address: 39, words: 2 })).toEqual({ kind: 'bad', reason: 'exception_illegal_address' })
  },
)

test('what is written to a foreign server by each of the four functions is there', async () => {
  expect(await bus.write({ unit: 1, write: 'register', address: 0, value: 4711 })).toEqual({ kind: 'written' })
  expect(await bus.write({ unit: 1, write: 'registers', address: 1, values: [1, 65_535] })).toEqual({ kind: 'written' })
  expect(await bus.read({ unit: 1, space: 'holding', address: 0, words: 3 })).toEqual({ kind: 'words', words: [4711, 1, 65_535] })
  expect(await bus.write({ unit: 1, write: 'coil', address: 1, value: 1 })).toEqual({ kind: 'written' })
  expect(await bus.write({ unit: 1, write: 'coils', address: 2, values: [1, 0, 1] })).toEqual({ kind: 'written' })
  expect(await bus.read({ unit: 1, space: 'coil', address: 1, words: 4 })).toEqual({ kind: 'words', words: [1, 1, 0, 1] })
})
