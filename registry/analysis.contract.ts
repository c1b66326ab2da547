import { describe, expect, test } from 'vitest'
import { defaultFlowMethod, type FlowMethod, flowMethodAt } from '#contract/flow-method.ts'
import type { MessageBody } from '#contract/notification.ts'
import { unixMs } from '#contract/units.ts'
import type { NewCorrection } from './corrections.ts'
import type { Registry } from './port.ts'

const T = 1_790_000_000_000
const made = { by: 'li', at: unixMs(T) }
const span = { from: unixMs(T), to: unixMs(T + 1000) }

/** What analysts keep in the registry. `registry.contract.ts` calls it with each engine. */
export function analysisContract(open: () => Registry): void {
  describe('analysis', () => {
    test('a method holds from its date on; before the first it is Swamee from the district’s geometry', async () => {
      const { flowMethods } = open()
      const energy: FlowMethod = {
        ...defaultFlowMethod('m-1'),
        from: T,
        formula: { kind: 'sluice', method: 'energy-momentum' },
        source: 'published',
      }
      const fitted: FlowMethod = { ...energy, factor: 0.94, uncertainty: 0.06, source: 'calibrated' }
      const later: FlowMethod = { ...fitted, from: T + 1000, factor: 0.9 }
      for (const method of [later, energy, fitted]) await flowMethods.set(method, made)
      const mine = (await flowMethods.all()).get('m-1') ?? []
      const at = (t: number): FlowMethod => flowMethodAt(mine, 'm-1', t)
      expect([at(T - 1), at(T), at(T + 999), at(T + 1000)]).toEqual([defaultFlowMethod('m-1'), fitted, fitted, later])
      expect(await flowMethods.of('m-1')).toMatchObject([{ by: 'li' }, { factor: 0.94 }, { factor: 0.9 }])
    })

    test('a rule for the verdicts of a metric takes the place of the one before', async () => {
      const { verdictRules } = open()
      const rule = { gate: 'v-1', metric: 'level_up', rule: { hard: [0, 5] as [number, number] } }
      await verdictRules.set(rule, made)
      await verdictRules.set({ ...rule, rule: { spike: 0.4 } }, { ...made, by: 'wang' })
      expect((await verdictRules.all()).filter((r) => r.gate === 'v-1')).toEqual([{ ...rule, rule: { spike: 0.4 }, ...made, by: 'wang' }])
    })

    test('corrections in force are found by their stretch, in the order made; a withdrawn one stays in the books', async () => {
      const { corrections } = open()
      const one: NewCorrection = { gate: 'c-1', metric: 'flow', ...span, ruling: { kind: 'bad' }, reason: '水草缠绕', ...made }
      const first = await corrections.add(one)
      const second = await corrections.add({ ...one, ruling: { kind: 'value', value: 3 } })
      const asked = { gates: ['c-1', 'other'], from: unixMs(T + 999), to: unixMs(T + 5000) }
      expect(await corrections.inForce(asked)).toEqual([first, second])
      expect(await corrections.inForce({ ...asked, from: unixMs(T + 1000) })).toEqual([])
      expect(await corrections.inForce({ ...asked, metric: 'level_up' })).toEqual([])
      expect(await corrections.withdraw(first.id, { by: 'wang', at: unixMs(T + 9), why: 'wrong gate' })).toBe(true)
      expect(await corrections.withdraw(first.id, { by: 'wang', at: unixMs(T + 10), why: 'again' })).toBe(false)
      expect((await corrections.inForce(asked)).map((c) => c.id)).toEqual([second.id])
      expect(await corrections.byId(first.id)).toMatchObject({ withdrawnBy: 'wang', withdrawnWhy: 'wrong gate', reason: '水草缠绕' })
      expect(await corrections.all(asked)).toHaveLength(2)
    })

    test('a reading by hand is entered once; another value for the same time is told of and does not replace it', async () => {
      const { manualReadings } = open()
      const reading = { gate: 'h-1', kind: 'level_up' as const, t: T, value: 1.23, observer: '张三', note: '' }
      const gauging = { ...reading, kind: 'flow' as const, value: 12.5, uncertainty: 0.05 }
      expect(await manualReadings.enter([reading, gauging], made)).toEqual([{ kind: 'added' }, { kind: 'added' }])
      expect(await manualReadings.enter([reading, { ...reading, value: 1.32 }], made)).toEqual([
        { kind: 'there' },
        { kind: 'other', value: 1.23 },
      ])
      const asked = { gates: ['h-1'], ...span }
      expect(await manualReadings.list(asked)).toMatchObject([{ ...reading, by: 'li' }, gauging])
      expect(await manualReadings.list({ ...asked, kind: 'flow' })).toHaveLength(1)
    })

    test('a report is issued again only when its figures have changed, and each issue is kept', async () => {
      const { reportIssues } = open()
      const report = { kind: 'day', period: '2026-07-01', area: 'yichang', digest: 'a', content: { total: 1 }, ...made }
      expect(await reportIssues.file(report)).toMatchObject({ last: { issue: 1 }, isNew: true })
      expect(await reportIssues.file({ ...report, content: { total: 9 } })).toMatchObject({
        last: { issue: 1, content: { total: 1 } },
        isNew: false,
      })
      const both = await Promise.all([reportIssues.file({ ...report, digest: 'b' }), reportIssues.file({ ...report, digest: 'b' })])
      expect(both.map((f) => [f.last.issue, f.isNew]).toSorted()).toEqual([
        [2, false],
        [2, true],
      ])
      expect((await reportIssues.of(report)).map((i) => i.digest)).toEqual(['a', 'b'])
    })

    test('an alarm is told to a receiver once in each step, and a message that waits is tried by one process at a time', async () => {
      const { notifications } = open()
      const areas = ['yichang', null]
      const body = (id: string, step = 0): MessageBody => ({
        ...{ id, step, at: T, subject: 's', text: 't', total: 1, priority: 'high', areas, alarms: [] },
      })
      const told = { receiver: 'n-wang', channel: 'email', alarms: [{ id: 'stale:n-1', occurrence: 1 }] } as const
      expect(await notifications.put({ ...told, body: body('n-1') })).toBe(true)
      expect(await notifications.put({ ...told, body: body('n-2'), alarms: [...told.alarms, { id: 'stale:n-2', occurrence: 1 }] })).toBe(
        false,
      )
      expect(await notifications.put({ ...told, body: body('n-3', 1) })).toBe(true)
      const claimed = await Promise.all([1, 2, 3].map(() => notifications.claim(T, T + 60_000)))
      expect(claimed.flatMap((m) => (m ? [m.id] : [])).sort()).toEqual(['n-1', 'n-3'])
      await notifications.end('n-1', { state: 'sent', at: T, error: '' })
      expect((await notifications.claim(T + 60_000, T + 120_000))?.id).toBe('n-3')
      const ids = async (seen: string[]) => (await notifications.list({ areas: seen }, { limit: 9, offset: 0 })).items.map((m) => m.id)
      expect([await ids(['yichang']), await ids(['yongji']), await ids([])]).toEqual([['n-3', 'n-1'], [], []])
    })

    test('a lease has one holder at a time, who may prolong it; ended or given back it goes to the next with a higher term', async () => {
      const { leases } = open()
      expect(await leases.take('l-1', 'a', 60_000)).toBe(1)
      expect(await leases.take('l-1', 'b', 60_000)).toBeUndefined()
      expect(await leases.take('l-1', 'a', 60_000)).toBe(1)
      await leases.giveBack('l-1', 'b')
      expect(await leases.held()).toContainEqual({ name: 'l-1', holder: 'a', term: 1 })
      await leases.giveBack('l-1', 'a')
      expect(await leases.take('l-1', 'b', 0)).toBe(2)
      const won = await Promise.all(['x', 'y', 'z'].map((holder) => leases.take('l-1', holder, 60_000)))
      expect(won.filter((term) => term !== undefined)).toEqual([3])
    })
  })
}
