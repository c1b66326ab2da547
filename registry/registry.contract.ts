import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { District } from '#contract/district.ts'
import type { ConfigOutcome } from '#contract/site-config.ts'
import type { BirthTable } from '#contract/sparkplug/birth.ts'
import { unixMs } from '#contract/units.ts'
import { accessContract } from './access.contract.ts'
import { analysisContract } from './analysis.contract.ts'
import { controlContract } from './control.contract.ts'
import type { DeadLetter, Registry } from './port.ts'

export const MIGRATIONS = new URL('./migrations', import.meta.url).pathname

const T = unixMs(1_760_000_000_000)
const later = (ms: number) => unixMs(T + ms)

export const smallDistrict: District = {
  name: 'small',
  areas: [
    { id: 'yichang', name: { zh: '义长', en: 'Yichang' }, order: 2 },
    { id: 'jiefangzha', name: { zh: '解放闸', en: 'Jiefangzha' }, order: 1 },
  ],
  canals: [
    {
      id: 'branch',
      name: { zh: '分干渠', en: 'Branch' },
      area: 'yichang',
      parent: 'main',
      parent_chainage_km: 12.5,
      length_km: 8,
      design_flow_m3s: 20,
    },
    {
      id: 'main',
      name: { zh: '总干渠', en: 'Main' },
      area: 'yichang',
      parent: null,
      parent_chainage_km: null,
      length_km: null,
      design_flow_m3s: null,
    },
  ],
  sites: [{ id: 'yc-s012', name: { zh: '某闸房', en: 'Gatehouse 12' }, area: 'yichang', station: '某供水所', report_interval_ms: 5000 }],
  structures: [
    {
      id: 'yc-zh-03',
      name: { zh: '三号闸', en: 'Gate 3' },
      provenance: 'invented',
      area: 'yichang',
      canal: 'branch',
      site: 'yc-s012',
      type: 'regulator',
      leaves: 3,
      leaf_width_m: 2.5,
      leaf_height_m: 3,
      design_flow_m3s: 18.75,
      chainage_km: 4.2,
      sill_m: 1030.25,
      datum_m: 1030,
      design_level_up_m: 1032.4,
      design_level_down_m: 1032.1,
      lat: 40.85,
      lon: 107.4,
    },
  ],
}

const birth = (at: number, names: readonly string[]): BirthTable => ({
  at,
  receipts: true,
  metrics: names.map((name, alias) => ({ name, alias, datatype: 'Float' })),
})

const letter = (change: Partial<DeadLetter>): DeadLetter => ({
  group: 'yichang',
  node: 'yc-s012',
  device: 'yc-zh-99',
  metric: null,
  reason: 'there is no gate yc-zh-99',
  payload: 'AAAA',
  ...change,
})

/** What every registry must do. Each engine's test file calls this with the real thing, empty. */
export function registryContract(name: string, open: () => Promise<Registry>): void {
  describe(name, () => {
    let registry: Registry
    beforeAll(async () => {
      registry = await open()
    })
    afterAll(() => registry.close())

    describe('district', () => {
      test('an empty registry has no gates', async () => {
        expect(await registry.district.structures()).toEqual([])
        expect(await registry.district.structure('yc-zh-03')).toBeUndefined()
      })

      test('what is seeded comes back as it was, areas in their order', async () => {
        expect(await registry.district.seed(smallDistrict)).toBe(6)
        expect((await registry.district.areas()).map((a) => a.id)).toEqual(['jiefangzha', 'yichang'])
        expect(await registry.district.canals()).toEqual(smallDistrict.canals)
        expect(await registry.district.sites()).toEqual(smallDistrict.sites)
        expect(await registry.district.structures()).toEqual(smallDistrict.structures)
        expect(await registry.district.structure('yc-zh-03')).toEqual(smallDistrict.structures[0])
      })

      test('seeding again adds what is missing and changes nothing that is there', async () => {
        const [site] = smallDistrict.sites
        if (!site) throw new Error('the district has no site')
        const grown = {
          ...smallDistrict,
          sites: [
            { ...site, station: 'another office' },
            { ...site, id: 'yc-s013' },
          ],
        }
        expect(await registry.district.seed(grown)).toBe(1)
        expect((await registry.district.sites()).map((s) => [s.id, s.station])).toEqual([
          ['yc-s012', '某供水所'],
          ['yc-s013', '某供水所'],
        ])
      })

      test('a gate whose id is taken is a conflict; one on a canal that is not there is refused', async () => {
        const [structure] = smallDistrict.structures
        if (!structure) throw new Error('the district has no structure')
        await expect(registry.district.addStructure(structure)).rejects.toMatchObject({ name: 'Fault', code: 'CONFLICT' })
        await expect(registry.district.addStructure({ ...structure, id: 'new', canal: 'nowhere' })).rejects.toMatchObject({
          name: 'Fault',
          code: 'BAD_REQUEST',
        })
        await registry.district.addStructure({ ...structure, id: 'yc-zh-04', seed_id: 'HT-017' })
        expect(await registry.district.structure('yc-zh-04')).toEqual({ ...structure, id: 'yc-zh-04', seed_id: 'HT-017' })
      })

      test('a site whose id is taken is a conflict', async () => {
        const [site] = smallDistrict.sites
        if (!site) throw new Error('the district has no site')
        await registry.district.addSite({ ...site, id: 'yc-s014' })
        await expect(registry.district.addSite({ ...site, id: 'yc-s014' })).rejects.toMatchObject({ code: 'CONFLICT' })
      })
    })

    describe('people', () => {
      const newcomer = (login: string) => ({ login, name: login, passwordHash: 'x', grants: [], mustChangePassword: false })
      test('a person is found by login and id, with the grants in their order', async () => {
        const grants = [
          { role: 'dispatcher', area: 'yichang' },
          { role: 'viewer', area: null },
        ] as const
        const added = await registry.people.add({
          login: 'wang',
          name: '王',
          passwordHash: '$argon2id$1',
          grants,
          mustChangePassword: true,
        })
        expect(added).toMatchObject({
          login: 'wang',
          name: '王',
          grants,
          failedSignIns: 0,
          lockedUntil: null,
          mustChangePassword: true,
          disabledAt: null,
        })
        expect(await registry.people.byLogin('wang')).toEqual(added)
        expect(await registry.people.byId(added.id)).toEqual(added)
        expect(await registry.people.byLogin('nobody')).toBeUndefined()
      })

      test('a login is given once, and a person who could not be added leaves nothing behind', async () => {
        const twice = newcomer('li')
        await registry.people.add(twice)
        await expect(registry.people.add(twice)).rejects.toMatchObject({ code: 'CONFLICT' })
        const elsewhere = { ...newcomer('zhao'), grants: [{ role: 'viewer', area: 'nowhere' } as const] }
        await expect(registry.people.add(elsewhere)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
        expect(await registry.people.byLogin('zhao')).toBeUndefined()
      })

      test('failed sign-ins are counted, lock the person out and are cleared', async () => {
        const { id } = await registry.people.add(newcomer('sun'))
        expect(await registry.people.recordFailure(id, null)).toBe(1)
        expect(await registry.people.recordFailure(id, later(60_000))).toBe(2)
        expect(await registry.people.byId(id)).toMatchObject({ failedSignIns: 2, lockedUntil: later(60_000) })
        await registry.people.clearFailures(id)
        expect(await registry.people.byId(id)).toMatchObject({ failedSignIns: 0, lockedUntil: null })
      })

      test('of failures counted at the same moment none is lost', async () => {
        const { id } = await registry.people.add(newcomer('qian'))
        const counts = await Promise.all(Array.from({ length: 8 }, () => registry.people.recordFailure(id, null)))
        expect(counts.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      })

      test('a password is changed for a person who is there', async () => {
        const { id } = await registry.people.add({ ...newcomer('zhou'), mustChangePassword: true })
        await registry.people.setPassword(id, { hash: 'new', mustChange: false })
        expect(await registry.people.byId(id)).toMatchObject({ passwordHash: 'new', mustChangePassword: false })
        await expect(registry.people.setPassword('nobody', { hash: 'new', mustChange: false })).rejects.toMatchObject({ code: 'NOT_FOUND' })
      })

      test('name, roles and whether somebody is disabled are changed, and what is not given stays', async () => {
        const { id } = await registry.people.add({ ...newcomer('zheng'), grants: [{ role: 'viewer', area: null }] })
        const grants = [{ role: 'dispatcher', area: 'yichang' }] as const
        expect(await registry.people.change(id, { grants, disabledAt: T })).toMatchObject({ name: 'zheng', grants, disabledAt: T })
        expect(await registry.people.change(id, { name: '郑', disabledAt: null })).toMatchObject({ name: '郑', grants, disabledAt: null })
        const nowhere = { name: '无', grants: [{ role: 'viewer', area: 'nowhere' } as const] }
        await expect(registry.people.change(id, nowhere)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
        expect(await registry.people.byId(id)).toMatchObject({ name: '郑', grants })
        await expect(registry.people.change('nobody', { name: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
      })

      test('a login that no text can be is refused, and nothing breaks', async () => {
        await expect(registry.people.byLogin('a\0b')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
        expect(await registry.people.byLogin("'; drop table people; --")).toBeUndefined()
      })
    })

    test('sessions are kept until they are removed or expire', async () => {
      const { id } = await registry.people.add({ login: 'wu', name: '吴', passwordHash: 'x', grants: [], mustChangePassword: false })
      const session = (tokenHash: string, expiresAt: number) => ({
        tokenHash,
        personId: id,
        createdAt: T,
        expiresAt: unixMs(expiresAt),
        ip: '10.0.0.1',
        agent: null,
        secondFactor: false,
      })
      for (const s of [session('a', T + 1), session('b', T + 2), session('c', T + 3)]) await registry.sessions.add(s)
      expect(await registry.sessions.byTokenHash('b')).toEqual(session('b', T + 2))
      await registry.sessions.noteSecondFactor('c')
      expect((await registry.sessions.of(id)).map((s) => [s.tokenHash, s.secondFactor])).toEqual([
        ['a', false],
        ['b', false],
        ['c', true],
      ])
      expect(await registry.sessions.removeExpired(later(2))).toBe(2)
      expect(await registry.sessions.byTokenHash('b')).toBeUndefined()
      await registry.sessions.remove('c')
      expect(await registry.sessions.byTokenHash('c')).toBeUndefined()
      await expect(registry.sessions.add({ ...session('d', T), personId: 'nobody' })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    })

    test('a newer birth replaces the older; node and device each have their own', async () => {
      const node = { group: 'yichang', node: 'yc-s012' }
      const device = { ...node, device: 'yc-zh-03' }
      await registry.births.put(node, birth(1, ['battery']))
      await registry.births.put(device, birth(2, ['level_up']))
      await registry.births.put(device, birth(3, ['level_up', '水位 "闸上"', 'odd\0name']))
      expect(await registry.births.all()).toEqual([
        { address: node, table: birth(1, ['battery']) },
        { address: device, table: birth(3, ['level_up', '水位 "闸上"', 'odd\0name']) },
      ])
    })

    describe('dead letters', () => {
      test('what goes wrong again is counted, not listed again', async () => {
        await registry.deadLetters.add([letter({ payload: 'MQ==' }), letter({ payload: 'Mg==' }), letter({ metric: 'level_up' })], T)
        await registry.deadLetters.add([letter({ payload: 'Mw==' }), letter({ device: null })], later(1000))
        const { items, total } = await registry.deadLetters.list({ limit: 10, offset: 0 })
        expect(total).toBe(3)
        expect(items.find((i) => i.device !== null && i.metric === null)).toMatchObject({
          count: 3,
          payload: 'Mw==',
          firstAt: T,
          lastAt: later(1000),
        })
        expect(items.find((i) => i.device === null)).toMatchObject({ count: 1, metric: null })
      })

      test('the list is newest first and pages', async () => {
        await registry.deadLetters.add(
          Array.from({ length: 250 }, (_, i) => letter({ reason: `reason ${i}` })),
          later(2000),
        )
        await registry.deadLetters.add([letter({ reason: 'the newest' })], later(3000))
        const first = await registry.deadLetters.list({ limit: 100, offset: 0 })
        const second = await registry.deadLetters.list({ limit: 100, offset: 100 })
        expect(first.total).toBe(254)
        expect(first.items[0]).toMatchObject({ reason: 'the newest', count: 1 })
        expect(new Set([...first.items, ...second.items].map((i) => i.id)).size).toBe(200)
      })

      test('a reason of any length and letters are filed: they must not stop a batch', async () => {
        const reason = `unknown metric ${'水'.repeat(5000)}\0`
        await registry.deadLetters.add([letter({ reason }), letter({ reason }), letter({ metric: '' })], later(4000))
        const { items } = await registry.deadLetters.list({ limit: 5, offset: 0 })
        expect(items.find((i) => i.reason.startsWith('unknown metric'))).toMatchObject({ count: 2 })
        expect(items.some((i) => i.metric === '')).toBe(true)
      })

      test('two workers that file the same letters at once count both', async () => {
        const letters = Array.from({ length: 50 }, (_, i) => letter({ reason: `at once ${i}` }))
        await Promise.all([registry.deadLetters.add(letters, later(5000)), registry.deadLetters.add(letters.toReversed(), later(5000))])
        const { items } = await registry.deadLetters.list({ limit: 50, offset: 0 })
        expect(items.map((i) => i.count)).toEqual(Array(50).fill(2))
      })

      test('nothing to file is no work', async () => {
        await registry.deadLetters.add([], T)
        expect((await registry.deadLetters.list({ limit: 0, offset: 0 })).items).toEqual([])
      })
    })

    test('readings that an agent says are lost are found by their interval; told again they are there once', async () => {
      const node = { group: 'yichang', node: 'yc-s012' }
      const record = { structure: 'yc-zh-03', from: later(0), to: later(60_000), readings: 40, why: 'outbox_full' as const }
      const told = {
        node,
        batch: 2n ** 63n + 5n,
        records: [record, { ...record, structure: null, readings: 1, why: 'damaged' as const }],
        at: later(90_000),
      }
      await registry.gaps.recordLost([told])
      await registry.gaps.recordLost([told, { ...told, batch: 6n, records: [{ ...record, from: later(70_000), to: later(80_000) }] }])
      expect(await registry.gaps.lost('yc-s012', { from: later(60_000), to: later(70_000) })).toEqual(told.records)
      expect(await registry.gaps.lost('yc-s012', { from: later(0), to: later(90_000) })).toHaveLength(3)
      expect(await registry.gaps.lost('other', { from: later(0), to: later(90_000) })).toEqual([])
      await registry.gaps.recordLost([])
    })
    test('versions of a site’s configuration are counted, one is open at a time, and an end is an end', async () => {
      const { siteConfigs } = registry
      const add = (text: string) =>
        siteConfigs.add({
          site: 'cfg-1',
          area: 'yichang',
          hash: text,
          text,
          trialS: 60,
          by: 'wang',
          why: 'test',
          at: T,
          sign: (version) => `signed ${version}`,
        })
      const report = (version: number, state: ConfigOutcome, seen = version) =>
        siteConfigs.takeReport(
          { v: 1, kind: 'report', site: 'cfg-1', version, state, reason: null, seen, running: { version: null, hash: '0' }, t: 0 },
          later(1000),
        )
      const states = async () => (await siteConfigs.list('cfg-1', { limit: 10, offset: 0 })).items.map((c) => [c.version, c.state])
      await Promise.all([add('a'), add('b')])
      expect(await states()).toEqual([
        [2, 'sent'],
        [1, 'superseded'],
      ])
      expect(await report(2, 'trial')).toMatchObject({ state: 'trial' })
      expect((await siteConfigs.open()).filter((c) => c.site === 'cfg-1')).toMatchObject([{ version: 2, signed: 'signed 2' }])
      expect(await report(2, 'in_force')).toMatchObject({ state: 'in_force' })
      expect(await report(2, 'trial')).toBeUndefined()
      // After a restored backup the agent has seen more than we have sent.
      expect((await add('c')).version).toBe(3)
      await report(3, 'refused', 7)
      expect((await add('d')).version).toBe(8)
      await report(8, 'in_force')
      expect(await report(2, 'rolled_back')).toBeUndefined()
      await siteConfigs.addTold({ site: 'cfg-1', area: 'yichang', hash: 'own', text: 'own', at: T })
      await siteConfigs.addTold({ site: 'cfg-1', area: 'yichang', hash: 'own', text: 'own', at: later(5) })
      expect((await states()).toSorted()).toEqual([
        [0, 'told'],
        [1, 'superseded'],
        [2, 'replaced'],
        [3, 'refused'],
        [8, 'in_force'],
      ])
    })
    controlContract(() => registry)
    accessContract(() => registry)

    test('a person’s views are the person’s own, one for each name', async () => {
      const [li, zhao] = await Promise.all(
        ['view-li', 'view-zhao'].map((login) =>
          registry.people.add({ login, name: login, passwordHash: 'x', mustChangePassword: false, grants: [] }),
        ),
      )
      const view = (id: string, name: string, address: string) => ({ id, name, address, at: T })
      await registry.savedViews.put(li?.id ?? '', view('v1', '夜班', '/trends?s=a'))
      expect(await registry.savedViews.put(li?.id ?? '', view('v2', '夜班', '/trends?s=b'))).toEqual(view('v1', '夜班', '/trends?s=b'))
      await registry.savedViews.put(li?.id ?? '', view('v3', '白班', '/trends?s=c'))
      expect((await registry.savedViews.of(li?.id ?? '')).map((v) => v.address).sort()).toEqual(['/trends?s=b', '/trends?s=c'])
      expect(await registry.savedViews.of(zhao?.id ?? '')).toEqual([])
      expect(await registry.savedViews.remove(zhao?.id ?? '', 'v1')).toBe(false)
      expect(await registry.savedViews.remove(li?.id ?? '', 'v1')).toBe(true)
      expect(await registry.savedViews.of(li?.id ?? '')).toHaveLength(1)
    })

    test('the audit takes entries', async () => {
      await registry.audit.append({ at: T, who: 'wang', action: 'sign-in', subject: 'wang', details: { from: '10.0.0.1', 备注: '' } })
      await registry.ready()
    })

    analysisContract(() => registry)
  })
}
