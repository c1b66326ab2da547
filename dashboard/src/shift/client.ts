import type { Handover, HandoverList, NewHandover, NewShiftEntry, OpenList, ShiftEntry, ShiftEntryList } from '#contract/http/shift-log.ts'
import type { Read } from '../alarm/client.ts'

/** The server's `/api/v1/shift` as functions. Each @throws RequestFailure */
export type ShiftClient = {
  entries(ask: { limit: number; gate?: string; from?: number; to?: number }): Promise<ShiftEntryList>
  write(entry: NewShiftEntry): Promise<ShiftEntry>
  close(id: number): Promise<ShiftEntry>
  open(): Promise<OpenList>
  handovers(limit: number): Promise<HandoverList>
  handOver(handover: NewHandover): Promise<Handover>
  take(id: number): Promise<Handover>
}

export function shiftClient(read: Read): ShiftClient {
  const post = <T>(path: string, body?: unknown): Promise<T> =>
    read<T>(
      `/shift/${path}`,
      body === undefined
        ? { method: 'POST' }
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    )
  return {
    entries: (ask) => read(`/shift/entries?${new URLSearchParams(Object.entries(ask).map(([k, v]) => [k, String(v)]))}`),
    write: (entry) => post('entries', entry),
    close: (id) => post(`entries/${id}/close`),
    open: () => read('/shift/open'),
    handovers: (limit) => read(`/shift/handovers?limit=${limit}`),
    handOver: (handover) => post('handovers', handover),
    take: (id) => post(`handovers/${id}/take`),
  }
}
