import type { PlanChange, PlanReport } from '#contract/http/plan.ts'

/** The server's `/api/v1/plans` as functions. Each @throws RequestFailure */
export type PlanClient = {
  /** Of the running water year, or of the one that begins in `year`. */
  read(year?: string): Promise<PlanReport>
  set(gate: string, change: PlanChange): Promise<unknown>
}

type Asking = {
  readonly read: <T>(path: string) => Promise<T>
  /** For what answers with nothing. */
  readonly send: (path: string, init: RequestInit) => Promise<unknown>
}

export const planClient = ({ read, send }: Asking): PlanClient => ({
  read: (year) => read(year === undefined ? '/plans' : `/plans?year=${year}`),
  set: (gate, change) =>
    send(`/gates/${encodeURIComponent(gate)}/plans`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(change),
    }),
})
