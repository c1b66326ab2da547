import { createPinia } from 'pinia'
import { expect, test } from 'vitest'
import { createApp } from 'vue'
import type { Gate, StateMessage } from '#contract/http.ts'
import type { LiveState } from '#contract/live.ts'
import type { Client } from '../http/client.ts'
import { CLIENT } from '../http/provided.ts'
import { useGates } from './gates.ts'

const T = 1_790_000_000_000
const stateOf = (gate: string, level: number): LiveState => ({
  ...{ gate, area: 'a', site: 's', online: true },
  metrics: { level_up: { t: T, rx: T, v: level, q: 0 } },
})
const gateOf = (id: string, state: LiveState | null): Gate =>
  ({ id, name: { zh: id, en: id }, area: 'a', canal: 'c', site: 's', chainage_km: 1, stale_after_ms: 60_000, state }) as unknown as Gate
const message = (full: boolean, ...gates: LiveState[]): StateMessage => ({ at: T, full, gates })

/** The store with a server whose list of gates is answered when `answer` is called. */
function opened() {
  let answer: (gates: Gate[]) => void = () => undefined
  const listed = new Promise<Gate[]>((resolve) => {
    answer = resolve
  })
  const app = createApp({})
  const pinia = createPinia()
  app.provide(CLIENT, { areas: async () => [], canals: async () => [], gates: () => listed } as unknown as Client)
  app.use(pinia)
  return { gates: useGates(pinia), answer }
}
const levelsIn = (gates: ReturnType<typeof useGates>) =>
  Object.fromEntries(gates.signals.map((s) => [s.gate.id, s.state.value?.metrics['level_up']?.v ?? null]))

test('what comes live while the list of gates is on its way is shown: a gate that reports each quarter of an hour says it once', async () => {
  const { gates, answer } = opened()
  const loading = gates.load()
  gates.take(message(true, stateOf('g1', 1)))
  gates.take(message(false, stateOf('g2', 2)))
  // The server had written its list before g2 said anything.
  answer([gateOf('g1', stateOf('g1', 1)), gateOf('g2', null), gateOf('g3', null)])
  await loading
  expect(levelsIn(gates)).toEqual({ g1: 1, g2: 2, g3: null })
})

test('a full message says that there is nothing else: what came before it is not shown', async () => {
  const { gates, answer } = opened()
  const loading = gates.load()
  gates.take(message(false, stateOf('g1', 1)))
  gates.take(message(true))
  answer([gateOf('g1', null)])
  await loading
  expect(levelsIn(gates)).toEqual({ g1: null })
})
