import { beforeEach, describe, expect, test } from 'vitest'
import type { CommandAction, CommandReport } from '#contract/command.ts'
import { unixMs } from '#contract/units.ts'
import { type AuditEntry, hashOf, verifyChain } from './audit.ts'
import type { Told } from './control-port.ts'
import type { Registry } from './port.ts'

const T = unixMs(1_790_000_000_000)
let n = 0

const told =
  (action: string): Told =>
  ({ id, structure, state }) => ({ at: T, who: 'wang', action, subject: structure, details: { command: id, state } })
const unwritable: Told = () => {
  throw new Error('what can not be told')
}

/** What both engines must keep of commands, locks, orders and the audit chain. */
export function controlContract(registryNow: () => Registry): void {
  const registry = {
    get control() {
      return registryNow().control
    },
  }
  let structure = ''
  beforeEach(() => {
    n += 1
    structure = `gate-${n}`
  })
  const ACTIONS = {
    stop: { kind: 'stop' },
    open: { kind: 'open', opening_m: 0.5, leaf: null },
    schedule: { kind: 'schedule', presets: [{ at: T + 3_600_000, action: { kind: 'manual' } }] },
  } satisfies Record<string, CommandAction>
  const select = (kind: keyof typeof ACTIONS = 'open', at = T) =>
    registry.control.select(
      {
        id: `00000000-0000-4000-8000-${String(Math.floor(Math.random() * 1e12)).padStart(12, '0')}`,
        structure,
        area: 'yichang',
        site: 'yc-s012',
        action: ACTIONS[kind],
        needsSecond: false,
        by: 'wang',
        session: 'hash',
        order: null,
        selectedAt: at,
        expiresAt: at + 60_000,
      },
      told('command.select'),
    )
  const issue = (id: string, right: 'in turn' | 'always' = 'in turn', now = T, approvedBy: string | null = null) =>
    registry.control.issue({
      id,
      now,
      expiresAt: unixMs(now + 30_000),
      approvedBy,
      right,
      canal: `canal-of-${structure}`,
      sign: (row, counter) => `${row.structure} ${counter}`,
      told: told('command.send'),
    })
  const report = (id: string, state: 'accepted' | 'moving' | 'done'): CommandReport => ({
    v: 1,
    structure,
    id,
    counter: 1,
    t: T,
    openings_m: [0.5],
    targets_m: [0.5],
    state,
  })

  const entry = (action: string): AuditEntry => ({ at: T, who: 'li', action, subject: structure, details: {} })
  /** The database never sees it: JSON has no such number. */
  const untellable = (action: string): AuditEntry => ({ ...entry(action), details: { at: 1n } })
  const toldOf = async (kind: string): Promise<string[]> => {
    const { items } = await registryNow().audit.list({ subject: structure, kind }, { limit: 50, offset: 0 })
    return items.map((e) => e.action).toReversed()
  }
  const tag = () => ({ id: `lock-${structure}`, structure, reason: '检修', by: 'li', byName: '李', at: T, until: T + 3_600_000 })

  describe('commands', () => {
    test('each command gets the next counter of its structure, and only one is under way', async () => {
      const [a, b] = [await select(), await select()]
      expect(await issue(a.id)).toMatchObject({ kind: 'issued', row: { state: 'sent', counter: 1, signed: `${structure} 1` } })
      expect(await issue(b.id)).toMatchObject({ kind: 'busy', other: { id: a.id } })
      expect(await issue(a.id)).toEqual({ kind: 'gone' })
      const stop = await select('stop')
      expect(await issue(stop.id, 'always')).toMatchObject({ kind: 'issued' })
      await registry.control.takeReport(report(a.id, 'done'), T, told('command.done'))
      expect(await issue(b.id)).toMatchObject({ kind: 'issued' })
    })

    test('of many that are issued at once exactly one goes, and no counter is given out twice', async () => {
      const rows = await Promise.all(Array.from({ length: 8 }, () => select()))
      const outcomes = await Promise.all(rows.map((r) => issue(r.id)))
      expect(outcomes.filter((o) => o.kind === 'issued')).toHaveLength(1)
      const stops = await Promise.all(Array.from({ length: 8 }, () => select('stop')))
      const counters = (await Promise.all(stops.map((r) => issue(r.id, 'always')))).map((o) => (o.kind === 'issued' ? o.row.counter : null))
      expect(new Set(counters).size).toBe(8)
    })

    test('a selection that is over can not be issued', async () => {
      const a = await select()
      expect(await issue(a.id, 'in turn', unixMs(T + 60_000))).toEqual({ kind: 'gone' })
      const b = await select()
      expect(await registry.control.cancel(b.id, T, told('command.cancel'))).toBe(true)
      expect(await issue(b.id)).toEqual({ kind: 'gone' })
    })

    test('an agent’s last word is never replaced by an earlier one that comes late', async () => {
      const a = await select()
      expect(await registry.control.takeReport(report(a.id, 'done'), T, told('command.done'))).toBeUndefined()
      await issue(a.id)
      expect(await registry.control.takeReport(report(a.id, 'moving'), T, told('command.moving'))).toMatchObject({
        state: 'moving',
        movingAt: T,
      })
      expect(await registry.control.takeReport(report(a.id, 'accepted'), T, told('command.accepted'))).toBeUndefined()
      expect(await registry.control.takeReport(report(a.id, 'done'), T, told('command.done'))).toMatchObject({ state: 'done' })
      expect(
        await registry.control.takeReport({ ...report(a.id, 'done'), state: 'failed', reason: 'stall' }, T, told('command.failed')),
      ).toBeUndefined()
    })

    test('what became of a command and its entry in the trail are kept together, or neither is', async () => {
      const entries = async () => {
        const { items } = await registryNow().audit.list({ subject: structure }, { limit: 50, offset: 0 })
        return items.map((e) => [e.action, e.details['state']]).toReversed()
      }
      const [a, b] = [await select(), await select()]
      await issue(a.id)
      await registry.control.takeReport(report(a.id, 'moving'), T, told('command.moving'))
      await expect(registry.control.takeReport(report(a.id, 'done'), T, unwritable)).rejects.toThrow('what can not be told')
      await expect(registry.control.giveUp(a.id, T, unwritable)).rejects.toThrow('what can not be told')
      expect((await registry.control.command(a.id))?.state).toBe('moving')
      await expect(registry.control.cancel(b.id, T, unwritable)).rejects.toThrow('what can not be told')
      await expect(registry.control.await(b.id, { now: T, expiresAt: unixMs(T + 1), told: unwritable })).rejects.toThrow('what can not')
      expect((await registry.control.command(b.id))?.state).toBe('selected')
      expect(await registry.control.giveUp(a.id, T, told('command.no_answer'))).toMatchObject({ state: 'failed', reason: 'no_answer' })
      expect(await entries()).toEqual([
        ['command.select', 'selected'],
        ['command.select', 'selected'],
        ['command.send', 'sent'],
        ['command.moving', 'moving'],
        ['command.no_answer', 'failed'],
      ])
    })

    test('what somebody else has taken meanwhile is not issued, but a stop; an approver who holds it may', async () => {
      const [a, b] = [await select(), await select()]
      await registry.control.take({ canal: `canal-of-${structure}`, login: 'li', name: '李', since: T }, entry('hold.take'))
      expect(await issue(a.id)).toMatchObject({ kind: 'held', hold: { login: 'li' } })
      expect(await issue((await select('stop')).id, 'always')).toMatchObject({ kind: 'issued' })
      expect(await issue(b.id, 'in turn', T, 'zhao')).toMatchObject({ kind: 'held' })
      expect(await issue(b.id, 'in turn', T, 'li')).toMatchObject({ kind: 'issued' })
    })

    test('while a structure is tagged out nothing is issued for it, but a stop', async () => {
      const a = await select()
      await registry.control.lockOut(tag(), entry('lockout.tag'))
      expect(await issue(a.id)).toMatchObject({ kind: 'tagged_out', lockout: { reason: '检修' } })
      expect(await issue((await select('stop')).id, 'always')).toMatchObject({ kind: 'issued' })
      expect(await registry.control.lift(tag().id, { by: 'li', at: T }, entry('lockout.lift'))).toBe(true)
      expect(await registry.control.lift(tag().id, { by: 'li', at: T }, entry('lockout.lift'))).toBe(false)
      expect(await issue(a.id)).toMatchObject({ kind: 'issued' })
      expect((await toldOf('lockout')).length).toBe(2)
    })

    test('a tag and its entry in the trail are kept together, or neither is', async () => {
      await expect(registry.control.lockOut(tag(), untellable('lockout.tag'))).rejects.toThrow()
      expect(await registry.control.lockout(tag().id)).toBeUndefined()
      await registry.control.lockOut(tag(), entry('lockout.tag'))
      await expect(registry.control.lift(tag().id, { by: 'li', at: T }, untellable('lockout.lift'))).rejects.toThrow()
      expect(await registry.control.lockout(tag().id)).toMatchObject({ liftedAt: null })
      expect(await toldOf('lockout')).toEqual(['lockout.tag'])
    })

    test('presets that were put together before others changed them, or before a stop cancelled them, are not issued', async () => {
      const later = unixMs(T + 1000)
      const standing = async () => {
        const { underWay, schedule } = await registry.control.standing(structure, T)
        return [underWay?.id, schedule?.id]
      }
      const [first, second] = [await select('schedule'), await select('schedule')]
      expect(await standing()).toEqual([undefined, undefined])
      await issue(first.id)
      expect(await standing()).toEqual([first.id, first.id])
      await registry.control.takeReport(report(first.id, 'done'), T, told('command.done'))
      expect(await issue(second.id)).toEqual({ kind: 'gone' })
      expect(await standing()).toEqual([undefined, first.id])
      const third = await select('schedule', later)
      await issue((await select('stop')).id, 'always', later)
      expect(await issue(third.id, 'in turn', later)).toEqual({ kind: 'gone' })
      const fourth = await select('schedule', unixMs(later + 1))
      // Of what moves now it says nothing.
      expect(await issue((await select('open', later)).id, 'in turn', unixMs(later + 1))).toMatchObject({ kind: 'issued' })
      expect((await registry.control.standing(structure, T)).schedule?.action.kind).toBe('stop')
      expect(await issue(fourth.id, 'in turn', unixMs(later + 2))).toMatchObject({ kind: 'busy' })
    })

    test('a counter that an agent has seen is never given out again', async () => {
      await registry.control.raiseCounter(structure, 40)
      await registry.control.raiseCounter(structure, 7)
      expect(await registry.control.counters([structure])).toEqual({ [structure]: 40 })
      expect(await issue((await select()).id)).toMatchObject({ row: { counter: 41 } })
    })

    test('a canal is held by one person until it is handed over', async () => {
      const hold = (login: string) => registry.control.take({ canal: structure, login, name: login, since: T }, entry('hold.take'))
      const offer = (by: string) => registry.control.offer(structure, { by, to: 'li' }, entry('hold.offer'))
      const release = (by: string) => registry.control.release(structure, by, entry('hold.release'))
      expect(await hold('wang')).toBe(true)
      expect(await hold('li')).toBe(false)
      expect(await offer('li')).toBe(false)
      expect(await offer('wang')).toBe(true)
      expect(await hold('li')).toBe(true)
      expect(await release('wang')).toBe(false)
      expect(await release('li')).toBe(true)
      // What was not done is not told either.
      expect(await toldOf('hold')).toEqual(['hold.take', 'hold.offer', 'hold.take', 'hold.release'])
    })

    test('who holds a canal and its entry in the trail are kept together, or neither is', async () => {
      const mine = async () => (await registry.control.holds()).find((h) => h.canal === structure)
      const hold = { canal: structure, login: 'wang', name: '王', since: T }
      await expect(registry.control.take(hold, untellable('hold.take'))).rejects.toThrow()
      expect(await mine()).toBeUndefined()
      await registry.control.take(hold, entry('hold.take'))
      await expect(registry.control.offer(structure, { by: 'wang', to: 'li' }, untellable('hold.offer'))).rejects.toThrow()
      await expect(registry.control.release(structure, 'wang', untellable('hold.release'))).rejects.toThrow()
      expect(await mine()).toMatchObject({ login: 'wang', offeredTo: null })
      expect(await toldOf('hold')).toEqual(['hold.take'])
    })
  })

  describe('orders', () => {
    const draft = () => ({
      id: `order-${Math.random()}`,
      year: 3000 + n,
      area: 'yichang',
      structure,
      state: 'draft' as const,
      target: { kind: 'flow' as const, flow_m3s: 12 },
      reason: '春灌',
      effectiveAt: T,
      travelMs: 0,
      steps: [{ state: 'draft' as const, at: T, by: 'wang', byName: '王', note: '', readings: null }],
      createdAt: T,
    })
    const reviewed = { state: 'reviewed' as const, at: T, by: 'li', byName: '李', note: '', readings: null }

    test('orders are numbered through the year, and a step is made once', async () => {
      const { orders } = registryNow()
      const add = () => orders.add(draft(), () => entry('order.draft'))
      const added = await Promise.all([add(), add(), add()])
      expect(added.map((o) => o.number).sort()).toEqual([1, 2, 3])
      const [first] = added
      if (!first) throw new Error('no order')
      const review = () => orders.step(first.id, { from: 'draft', step: reviewed }, () => entry('order.review'))
      const steps = await Promise.all([review(), review()])
      expect(steps.filter((s) => s !== undefined)).toHaveLength(1)
      expect(await toldOf('order')).toEqual(['order.draft', 'order.draft', 'order.draft', 'order.review'])
      const page = { limit: 1000, offset: 0 }
      expect((await orders.list({ areas: ['yichang'] }, page)).items.map((o) => o.id)).toEqual(
        expect.arrayContaining(added.map((o) => o.id)),
      )
      expect(await orders.list({ areas: ['wulanbuhe'] }, page)).toEqual({ items: [], total: 0 })
      expect((await orders.list({ areas: null }, page)).total).toBeGreaterThanOrEqual(3)
    })

    test('an order’s step and its entry in the trail are kept together, or neither is', async () => {
      const { orders } = registryNow()
      const order = draft()
      await expect(orders.add(order, () => untellable('order.draft'))).rejects.toThrow()
      expect(await orders.order(order.id)).toBeUndefined()
      const kept = await orders.add(order, ({ number }) => ({ ...entry('order.draft'), details: { number } }))
      // The number that was not kept is not lost.
      expect(kept.number).toBe(1)
      const made = { from: 'draft', step: reviewed } as const
      await expect(orders.step(order.id, made, () => untellable('order.review'))).rejects.toThrow()
      expect(await orders.order(order.id)).toMatchObject({ state: 'draft', steps: [{ state: 'draft' }] })
      expect(await toldOf('order')).toEqual(['order.draft'])
    })
  })

  describe('audit', () => {
    test('entries that many write at once stand in one chain, and it is whole', async () => {
      const { audit } = registryNow()
      const details = { before: null, after: { opening_m: 0.5, at: undefined }, 名: '闸' }
      await Promise.all(
        Array.from({ length: 10 }, (_, i) => audit.append({ at: T + i, who: 'wang', action: 'test', subject: structure, details })),
      )
      const verdict = await verifyChain(audit)
      expect(verdict).toMatchObject({ kind: 'whole' })
      if (verdict.kind === 'whole') expect(await verifyChain(audit, verdict.head)).toMatchObject({ kind: 'whole' })
      expect((await audit.list({ subject: structure }, { limit: 5, offset: 0 })).total).toBe(10)
    })

    test('a changed, missing or cut-off entry is found', async () => {
      const { audit } = registryNow()
      await audit.append({ at: T, who: 'li', action: 'test', subject: structure, details: {} })
      const rows = await audit.after(0, 10_000)
      const chain = (some: typeof rows) => ({ after: async (id: number, limit: number) => some.filter((r) => r.id > id).slice(0, limit) })
      const last = rows.at(-1)
      const middle = rows.findIndex((r) => r.hash !== null) + 1
      expect(await verifyChain(chain(rows.map((r, i) => (i === middle ? { ...r, who: 'nobody' } : r))))).toMatchObject({ kind: 'broken' })
      expect(await verifyChain(chain(rows.filter((_, i) => i !== middle)))).toMatchObject({ kind: 'broken' })
      expect(await verifyChain(chain(rows.slice(0, -1)), last?.hash ?? '')).toMatchObject({
        kind: 'broken',
        what: expect.stringContaining('cut off'),
      })
      expect(hashOf('a', { at: T, who: 'x', action: 'y', subject: 'z', details: {} })).not.toBe(
        hashOf('b', { at: T, who: 'x', action: 'y', subject: 'z', details: {} }),
      )
    })
  })
}
