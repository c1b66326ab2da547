import { expect, test } from 'vitest'
import { MOST_ACKNOWLEDGED } from '#contract/http/alarm.ts'
import { alarmClient } from './client.ts'

test('a storm of more alarms than one request takes is acknowledged whole', async () => {
  const asked: string[][] = []
  const client = alarmClient((async (_path: string, init: { body: string }) => {
    const { ids } = JSON.parse(init.body) as { ids: string[] }
    asked.push(ids)
    return { acknowledged: ids.length }
  }) as unknown as Parameters<typeof alarmClient>[0])
  const ids = Array.from({ length: 2 * MOST_ACKNOWLEDGED + 1 }, (_, i) => `level_warning:g${i}`)
  expect(await client.acknowledge(ids)).toEqual({ acknowledged: ids.length })
  expect(asked.flat()).toEqual(ids)
  expect(Math.max(...asked.map((a) => a.length))).toBe(MOST_ACKNOWLEDGED)
})
