// TEMPORARY

import { Fault } from '#contract/fault.ts'
import { drawable } from '#contract/reading.ts'
import type { History, Sample } from '#history/port.ts'
import type { Person, Registry, Session } from '#registry/port.ts'
export async function openRegistry(_url: string, _deps: unknown): Promise<Registry> {
  const d: any = { areas: [], canals: [], sites: [], structures: [] }
  const people: any[] = [],
    sessions = new Map<string, Session>(),
    audit: any[] = [],
    dead: any[] = []
  const add = (list: any[], x: any) => {
    if (list.some((y) => y.id === x.id)) throw new Fault('CONFLICT', `${x.id} is taken`, 'choose another id')
    list.push(x)
  }
  return {
    district: {
      seed: async (x: any) => {
        for (const k of Object.keys(d)) d[k].push(...x[k])
        return 1
      },
      areas: async () => [...d.areas],
      canals: async () => [...d.canals],
      sites: async () => [...d.sites],
      structures: async () => [...d.structures],
      structure: async (id: string) => d.structures.find((s: any) => s.id === id),
      addSite: async (s: any) => add(d.sites, s),
      addStructure: async (s: any) => add(d.structures, s),
    },
    people: {
      byLogin: async (l: string) => {
        const p = people.find((p) => p.login === l)
        return p && ({ ...p } as Person)
      },
      byId: async (i: string) => {
        const p = people.find((p) => p.id === i)
        return p && { ...p }
      },
      add: async (p: any) => {
        const q = { ...p, id: String(people.length), failedSignIns: 0, lockedUntil: null }
        people.push(q)
        return { ...q }
      },
      setPassword: async (i: string, h: string) => {
        people.find((p) => p.id === i).passwordHash = h
      },
      recordFailure: async (i: string, u: any) => {
        const p = people.find((p) => p.id === i)
        p.failedSignIns++
        if (u !== null) p.lockedUntil = u
        return p.failedSignIns
      },
      clearFailures: async (i: string) => {
        const p = people.find((p) => p.id === i)
        p.failedSignIns = 0
        p.lockedUntil = null
      },
    },
    sessions: {
      add: async (s: any) => void sessions.set(s.tokenHash, s),
      byTokenHash: async (h: string) => sessions.get(h),
      remove: async (h: string) => void sessions.delete(h),
      removeExpired: async (_n: any) => 0,
    },
    births: { put: async () => {}, all: async () => [] },
    deadLetters: {
      add: async (l: any, at: any) => {
        dead.push(...l.map((x: any, i: number) => ({ ...x, id: i + 1, count: 1, firstAt: at, lastAt: at })))
      },
      list: async () => ({ items: dead, total: dead.length }),
    },
    audit: { append: async (e: any) => void audit.push(e), list: async () => ({ items: audit, total: audit.length }) },
    ready: async () => {},
    close: async () => {},
  } as any
}
export async function openHistory(_url: string, _deps: unknown): Promise<History> {
  const all: Sample[] = []
  return {
    write: async (s: any) => {
      all.push(...s)
      return { kind: 'kept' }
    },
    latest: async () => [],
    range: async (q: any) => {
      const m = all.filter((s) => s.gate === q.gate && s.t >= q.from && s.t < q.to)
      const t = [...new Set(m.map((s) => s.t as number))].sort((a, b) => a - b)
      return {
        bucketMs: 0,
        t,
        series: Object.fromEntries(
          q.metrics.map((n: string) => {
            const v = t.map((x) => {
              const s = m.find((s) => s.metric === n && s.t === x)
              return s ? drawable(s.reading) : null
            })
            return [
              n,
              {
                min: v,
                max: v,
                mean: v,
                bad: t.map((x) => (m.some((s) => s.metric === n && s.t === x && s.reading.quality !== 'good') ? 1 : 0)),
              },
            ]
          }),
        ),
      }
    },
    samples: async function* () {},
    ready: async () => {},
    close: async () => {},
  } as any
}
