import { createPinia } from 'pinia'
import { expect, test } from 'vitest'
import { createApp } from 'vue'
import type { Alarm } from '#contract/alarm.ts'
import { untold } from '#contract/alarm-past.ts'
import type { Client } from '../http/client.ts'
import { CLIENT } from '../http/provided.ts'
import { useAlarms } from './store.ts'

const T = 1_790_000_000_000
const brokerLost = (rest: Partial<Alarm>): Alarm => ({
  ...untold({ id: 'broker_lost:center', kind: 'broker_lost', area: null, site: null, gate: null, priority: 'critical', limit: null }),
  ...{ active: true, acknowledged: false, occurrence: 1, raised_at: T },
  ...rest,
})
function opened() {
  const app = createApp({})
  const pinia = createPinia()
  app.provide(CLIENT, {} as Client)
  app.use(pinia)
  return useAlarms(pinia)
}

test('while the broker is lost values are not live, whether or not somebody has acknowledged it', () => {
  const alarms = opened()
  expect(alarms.brokerAwaySince).toBeNull()
  alarms.take({ at: T, full: true, alarms: [brokerLost({ rev: 1 })] })
  expect(alarms.brokerAwaySince).toBe(T)
  alarms.take({ at: T, full: false, alarms: [brokerLost({ rev: 2, acknowledged: true })] })
  expect(alarms.brokerAwaySince).toBe(T)
  alarms.take({ at: T, full: false, alarms: [brokerLost({ rev: 3, active: false, returned_at: T + 1000 })] })
  expect(alarms.brokerAwaySince).toBeNull()
})
