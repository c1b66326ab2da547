import { deflateSync } from 'node:zlib'
import type { AlarmMessage } from '#contract/alarm.ts'
import type { PackedMessage, StateMessage } from '#contract/http.ts'
import type { Reach } from '#contract/may.ts'
import { GAP_MS, type View } from './batching.ts'

/** The message as it goes to everyone of an audience: written and compressed once, whoever many they are. */
export function pack(kind: PackedMessage['kind'], message: StateMessage | AlarmMessage): PackedMessage {
  // Level 1: the next one is due in half a second, and higher levels take twice the time for a tenth of the bytes.
  return { kind, at: message.at, full: message.full, bytes: deflateSync(JSON.stringify(message), { level: 1 }) }
}

/** Clients that see the same gates and read packed messages: what changes is written once for all of them. */
export type Audience<Client> = {
  readonly key: string
  readonly clients: Set<Client>
  /** Gates that have changed since the last message to all. */
  readonly gates: Set<string>
  readonly alarms: Set<string>
  sentAt: number
  /** Everything, as written for the first who needed it since the last message to all: what has changed since is in the next. */
  everything: { state?: PackedMessage; alarm?: PackedMessage }
}

export class Audiences<Client> {
  readonly #byKey = new Map<string, Audience<Client>>()

  all(): Iterable<Audience<Client>> {
    return this.#byKey.values()
  }

  join(client: Client, { view, reach }: { view: View; reach: Reach }): Audience<Client> {
    const key = keyOf(view, reach)
    const known = this.#byKey.get(key) ?? {
      ...{ key, clients: new Set<Client>(), gates: new Set<string>(), alarms: new Set<string>() },
      ...{ sentAt: Number.NEGATIVE_INFINITY, everything: {} },
    }
    this.#byKey.set(key, known)
    known.clients.add(client)
    return known
  }

  leave(client: Client, audience: Audience<Client>): void {
    audience.clients.delete(client)
    if (audience.clients.size === 0) this.#byKey.delete(audience.key)
  }

  /** What has changed is owed to all of them. */
  owe(owed: { readonly gates?: Iterable<string>; readonly alarms?: Iterable<string> }): void {
    for (const audience of this.#byKey.values()) {
      for (const gate of owed.gates ?? []) audience.gates.add(gate)
      for (const alarm of owed.alarms ?? []) audience.alarms.add(alarm)
    }
  }
}

/** So long all wait where most have not taken the last message yet, as on a busy machine: everything anew for them costs more. A slow one among them holds up nobody. */
const PATIENCE_MS = 2000
export const isHeld = (audience: Pick<Audience<unknown>, 'sentAt'>, now: number, { behind, of }: { behind: number; of: number }): boolean =>
  2 * behind > of && now - audience.sentAt < PATIENCE_MS

export const isDue = (audience: Pick<Audience<unknown>, 'gates' | 'sentAt'>, now: number): boolean =>
  audience.gates.size > 0 && now - audience.sentAt >= GAP_MS

const named = (ids: ReadonlySet<string> | null): string[] | null => (ids === null ? null : [...ids].sort())
function keyOf({ gates, areas }: View, reach: Reach): string {
  return JSON.stringify([named(gates), named(areas), reach === 'district' ? reach : named(reach)])
}
