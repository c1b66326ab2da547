import mqtt from 'mqtt'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '#test/support/servers.ts'
import { type EmbeddedBroker, openEmbeddedBroker } from './embedded.ts'

let broker: EmbeddedBroker
beforeAll(async () => {
  broker = await openEmbeddedBroker({ host: '127.0.0.1', port: 0 }, { log: pino({ level: 'silent' }) })
})
afterAll(() => broker.close())

test('of a burst of kept and passing messages each one reaches who listens, once, also by two filters', async () => {
  const [speaker, listener] = await Promise.all([mqtt.connectAsync(broker.url), mqtt.connectAsync(broker.url)])
  try {
    const heard: string[] = []
    listener.on('message', (_topic, payload) => heard.push(payload.toString()))
    await listener.subscribeAsync(['burst/#', 'burst/+'], { qos: 1 })
    const said = Array.from({ length: 60 }, (_, i) => ({ text: `${i}`, retain: i % 3 === 0, qos: i % 5 === 0 ? 1 : 0 }) as const)
    await Promise.all(said.map(({ text, retain, qos }) => speaker.publishAsync('burst/x', text, { retain, qos })))
    await until(async () => expect(heard.length).toBeGreaterThanOrEqual(said.length), 5000)
    expect(heard.toSorted((a, b) => Number(a) - Number(b))).toEqual(said.map(({ text }) => text))
  } finally {
    await Promise.all([speaker.endAsync(), listener.endAsync()])
  }
})
