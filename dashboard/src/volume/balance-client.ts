import type { BalanceReply } from '#contract/http/volume.ts'
import type { PeriodStep } from '#contract/periods.ts'
import type { Read } from '../alarm/client.ts'

export type BalanceAsk = {
  readonly in: readonly string[]
  readonly out: readonly string[]
  readonly offtakes: readonly string[]
  readonly from: number
  readonly to: number
  readonly step: PeriodStep
  /** Where the reach's level is read and how large its surface is; null: storage is left out. */
  readonly storage: { readonly gate: string; readonly surface_m2: number } | null
}
/** The server's `/api/v1/balance`. @throws RequestFailure */
export type BalanceClient = (ask: BalanceAsk, options?: { signal?: AbortSignal }) => Promise<BalanceReply>

export function balanceClient(read: Read): BalanceClient {
  return (ask, options = {}) => {
    const { storage } = ask
    const query = new URLSearchParams({
      in: ask.in.join(),
      ...(ask.out.length > 0 && { out: ask.out.join() }),
      ...(ask.offtakes.length > 0 && { offtakes: ask.offtakes.join() }),
      from: String(ask.from),
      to: String(ask.to),
      step: ask.step,
      ...(storage && { level_gate: storage.gate, surface_m2: String(storage.surface_m2) }),
    })
    return read(`/balance?${query}`, options)
  }
}
