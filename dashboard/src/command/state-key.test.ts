import { expect, test } from 'vitest'
import { stateKeyAt } from './state-key.ts'

const command = (state: 'selected' | 'awaiting' | 'sent' | 'done', kind: 'stop' | 'manual' = 'stop') =>
  ({ state, action: { kind }, expires_at: 100 }) as const

test('a selection that nobody confirmed or approved in time is not shown as waiting', () => {
  for (const state of ['selected', 'awaiting'] as const) {
    expect(stateKeyAt(command(state), 99)).toBe(`command.state.${state}`)
    expect(stateKeyAt(command(state), 100)).toBe('command.lapsed')
  }
  // From there on it is the agent's word.
  expect(stateKeyAt(command('sent'), 100)).toBe('command.state.sent')
})

test('what moves a leaf is done when the encoder says so; a mode is in force, and no encoder was asked', () => {
  expect([stateKeyAt(command('done'), 100), stateKeyAt(command('done', 'manual'), 100)]).toEqual(['command.state.done', 'command.inForce'])
})
