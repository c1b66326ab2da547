/**
 * From a dispatcher's confirmation to the order that the leaf's controller has taken, over a GPRS link and, in the same run, over one that
 * holds nothing back: what lies between the two is the link's. SLUICE_BENCH_MOVES moves over each.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { cookieOf } from '#api/testing/start-api.ts'
import type { CommandView, GateControl, Selected } from '#contract/http/command.ts'
import type { LinkPreset } from '#simulators/link/presets.ts'
import { startControlPlant } from '../support/control-plant.ts'
import { quantile } from '../support/quantile.ts'
import { until } from '../support/servers.ts'

const MOVES = Number(process.env['SLUICE_BENCH_MOVES'] ?? 50)
const GATES = ['yc-zh-03', 'yc-zh-04']
/** The link alone takes so long at most there and back; the command goes one way. */
const GPRS_LIMIT_MS = 1000
const GO = 4

async function measure(preset: LinkPreset): Promise<number[]> {
  let taken: (() => void) | undefined
  const plant = await startControlPlant({
    written: ({ values }) => values[1] === GO && taken?.(),
    link: preset,
  })
  try {
    const headers = { cookie: await cookieOf(plant.app, 'wang') }
    const get = async <T>(path: string): Promise<T> => (await plant.app.inject({ url: `/api/v1${path}`, headers })).json<T>()
    const post = (path: string, payload?: object) =>
      plant.app.inject({ method: 'POST', url: `/api/v1${path}`, headers, ...(payload && { payload }) })
    const openings = new Map<string, number>()
    for (const gate of GATES) {
      await until(async () => expect((await get<GateControl>(`/gates/${gate}/control`)).status?.time).toBe('trusted'), 60_000)
      await until(async () => {
        const { state } = await get<{ state: { metrics: Record<string, { v: number }> } }>(`/gates/${gate}`)
        openings.set(gate, state.metrics['opening']?.v ?? expect.fail('no opening'))
      }, 60_000)
    }
    const delays: number[] = []
    for (let i = 0; delays.length < MOVES; i++) {
      const gate = GATES[i % GATES.length] ?? ''
      const before = openings.get(gate) ?? 0
      const target = Math.round((before + (before > 1 ? -0.01 : 0.01)) * 1000) / 1000
      await sleep(2000)
      const selected = await post(`/gates/${gate}/commands`, { action: { kind: 'open', opening_m: target, leaf: 1 } })
      const { command } = selected.json<Selected>()
      const moved = new Promise<number>((resolve) => {
        taken = () => resolve(performance.now())
      })
      const from = performance.now()
      expect((await post(`/commands/${command.id}/confirm`)).statusCode).toBe(202)
      const ended = until(async () => {
        const { state, reason } = await get<CommandView>(`/commands/${command.id}`)
        if (!['done', 'refused', 'failed', 'expired'].includes(state)) throw new Error(`${state} ${reason}`)
      }, 60_000)
      const at = await Promise.race([moved, ended.then(() => null)])
      await ended
      openings.set(gate, target)
      const { state, reason } = await get<CommandView>(`/commands/${command.id}`)
      // A leaf that stands there already is ordered nowhere: such a move has no delay.
      if (state === 'done' && at === null) continue
      if (at === null || state !== 'done') process.stdout.write(`${preset}: a move ended as ${state} ${reason ?? ''}\n`)
      else delays.push(at - from)
      if (i > 3 * MOVES) throw new Error('most moves are refused')
    }
    return delays
  } finally {
    await plant.close()
  }
}

test('confirm to move', async () => {
  const told = (preset: string, delays: readonly number[]): void =>
    void process.stdout.write(
      `${preset}: ${delays.length} moves, confirm to order taken by the leaf: median ${quantile(delays, 0.5).toFixed(0)} ms, p99 ${quantile(delays, 0.99).toFixed(0)} ms\n`,
    )
  const clear = await measure('clear')
  told('clear', clear)
  const gprs = await measure('gprs')
  told('gprs', gprs)
  expect(quantile(gprs, 0.5) - quantile(clear, 0.5)).toBeLessThan(GPRS_LIMIT_MS)
})
