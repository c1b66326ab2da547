import type { AlarmRule } from '#contract/alarm.ts'
import { type Acked, type Figures, type JournalList, MOST_ACKNOWLEDGED, type Shelve } from '#contract/http/alarm.ts'

export type JournalAsk = {
  readonly limit: number
  readonly alarm?: string
  /** What concerns the one or the other. */
  readonly gate?: string
  readonly site?: string
  readonly from?: number
  readonly to?: number
}
export type Read = <T>(path: string, init?: RequestInit) => Promise<T>
/** The server's `/api/v1/alarms` as functions. Each @throws RequestFailure */
export type AlarmClient = {
  /** However many: what is more than one request takes goes into the next. */
  acknowledge(ids: readonly string[]): Promise<Acked>
  shelve(id: string, how: Shelve): Promise<unknown>
  unshelve(id: string): Promise<unknown>
  comment(id: string, note: string): Promise<unknown>
  /** The rules of a gate, with their limits. */
  rules(gate: string): Promise<AlarmRule[]>
  /** Of the last hours. */
  figures(hours: number): Promise<Figures>
  journal(ask: JournalAsk): Promise<JournalList>
}

export function alarmClient(read: Read): AlarmClient {
  const post = <T>(path: string, body?: unknown): Promise<T> =>
    read<T>(
      `/alarms/${path}`,
      body === undefined
        ? { method: 'POST' }
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    )
  return {
    acknowledge: async (ids) => {
      let acknowledged = 0
      for (let i = 0; i < ids.length; i += MOST_ACKNOWLEDGED)
        acknowledged += (await post<Acked>('ack', { ids: ids.slice(i, i + MOST_ACKNOWLEDGED) })).acknowledged
      return { acknowledged }
    },
    shelve: (id, how) => post(`${encodeURIComponent(id)}/shelve`, how),
    unshelve: (id) => post(`${encodeURIComponent(id)}/unshelve`),
    comment: (id, note) => post(`${encodeURIComponent(id)}/comment`, { note }),
    rules: async (gate) => (await read<{ items: AlarmRule[] }>(`/alarm-rules?${new URLSearchParams({ gate })}`)).items,
    figures: (hours) => read(`/alarms/figures?${new URLSearchParams({ hours: String(hours) })}`),
    journal: (ask) => read(`/alarms/journal?${new URLSearchParams(Object.entries(ask).map(([k, v]) => [k, String(v)]))}`),
  }
}
