import type { CommandAction, CommandReport } from '#contract/command.ts'
import type { OrderReadings, OrderTarget } from '#contract/http/order.ts'
import type { OrderState } from '#contract/order.ts'
import type { UnixMs } from '#contract/units.ts'
import type { AuditEntry } from './audit.ts'
import type { Page, Paged } from './port.ts'

/** What the registry keeps of control and orders. */

/** `selected` and `awaiting` (a second person) are the center's; from `sent` on the agent has the last word. */
export const COMMAND_STATES = [
  'selected',
  'awaiting',
  'cancelled',
  'sent',
  'accepted',
  'moving',
  'done',
  'refused',
  'failed',
  'expired',
] as const
export type CommandState = (typeof COMMAND_STATES)[number]

export type CommandRow = {
  readonly id: string
  readonly structure: string
  readonly area: string
  readonly site: string
  readonly action: CommandAction
  readonly state: CommandState
  readonly reason: string | null
  readonly needsSecond: boolean
  readonly by: string
  /** Hash of the session that selected: who approves comes by another. */
  readonly session: string
  readonly approvedBy: string | null
  readonly order: string | null
  readonly counter: number | null
  readonly signed: string | null
  readonly selectedAt: number
  readonly expiresAt: number
  readonly confirmedAt: number | null
  readonly movingAt: number | null
  readonly updatedAt: number
  readonly report: CommandReport | null
}
export type NewCommand = Pick<
  CommandRow,
  'id' | 'structure' | 'area' | 'site' | 'action' | 'needsSecond' | 'by' | 'session' | 'order' | 'selectedAt' | 'expiresAt'
>

export type IssueOutcome =
  | { readonly kind: 'issued'; readonly row: CommandRow }
  /** Another command of this structure has not ended. */
  | { readonly kind: 'busy'; readonly other: CommandRow }
  | { readonly kind: 'tagged_out'; readonly lockout: Lockout }
  /** Somebody else than who ordered it, or approves it, has the control of its canal now. */
  | { readonly kind: 'held'; readonly hold: Hold }
  /** It is no longer selected: expired, cancelled, or issued already. */
  | { readonly kind: 'gone' }

export type Issue = {
  readonly id: string
  readonly now: UnixMs
  readonly expiresAt: UnixMs
  readonly approvedBy: string | null
  /** Of the structure: what somebody else holds is not commanded in turn. */
  readonly canal: string
  /** A stop waits for no other command; a tag and its lifting are no moves. */
  readonly right: 'in turn' | 'always'
  /** @returns the signed command, base64. */
  readonly sign: (row: CommandRow, counter: number) => string
  readonly told: Told
}

/** The audit entry about a command, made of its row as it is now kept: the two are kept together or not at all. */
export type Told = (row: CommandRow) => AuditEntry

export type Lockout = {
  readonly id: string
  readonly structure: string
  readonly reason: string
  readonly by: string
  readonly byName: string
  readonly at: number
  readonly until: number
  readonly liftedBy: string | null
  readonly liftedAt: number | null
}
export type Hold = {
  readonly canal: string
  readonly login: string
  readonly name: string
  readonly since: number
  readonly offeredTo: string | null
}
export type SiteKey = {
  readonly site: string
  readonly area: string
  readonly siteKey: string
  readonly mqttUser: string
  readonly mqttHash: string
  readonly madeAt: number
  readonly revokedAt: number | null
}

export type ControlRegistry = {
  select(command: NewCommand, told: Told): Promise<CommandRow>
  command(id: string): Promise<CommandRow | undefined>
  commands(filter: { readonly structure?: string; readonly order?: string }, page: Page): Promise<Paged<CommandRow>>
  /** Selected or waiting, to cancelled. @returns false when it is neither. */
  cancel(id: string, now: UnixMs, told: Told): Promise<boolean>
  /** Selected, to waiting for a second person. @returns false when it is not selected any more. */
  await(id: string, options: { readonly now: UnixMs; readonly expiresAt: UnixMs; readonly told: Told }): Promise<boolean>
  /** Gives out the structure's next counter and keeps the signed command, all or nothing. */
  issue(issue: Issue): Promise<IssueOutcome>
  /** Takes an agent's report. A final state is never replaced, and none goes back. @returns the row when it changed. */
  takeReport(report: CommandReport, now: UnixMs, told: Told): Promise<CommandRow | undefined>
  /** Sent long ago and not answered: it is no longer waited for, and its structure is free. The agent's word, if it comes, still counts. */
  giveUp(id: string, now: UnixMs, told: Told): Promise<CommandRow | undefined>
  /** Sent, and not ended by the agent's word. */
  open(): Promise<CommandRow[]>
  /**
   * What stands for a structure beside its newest command: what is under way there, and the last word about its presets, which is a schedule
   * that was sent or the stop that cancelled them. @param since of selections, ms since 1970 UTC
   */
  standing(structure: string, since: number): Promise<{ readonly underWay: CommandRow | null; readonly schedule: CommandRow | null }>
  /** Sent and not ended, or changed since. */
  lately(since: number): Promise<CommandRow[]>
  /** The last counter given out for each structure. */
  counters(structures: readonly string[]): Promise<Record<string, number>>
  /** After a restored backup the agent may have seen more than we remember. */
  raiseCounter(structure: string, counter: number): Promise<void>
  /** The tag and the audit entry about it: both or neither. So are all changes of tags, holds and orders. */
  lockOut(lockout: Omit<Lockout, 'liftedBy' | 'liftedAt'>, entry: AuditEntry): Promise<void>
  lockout(id: string): Promise<Lockout | undefined>
  /** Neither lifted nor over. */
  lockouts(now: UnixMs): Promise<Lockout[]>
  /** @returns false when it has been lifted already; nothing is written then. */
  lift(id: string, lifted: { readonly by: string; readonly at: UnixMs }, entry: AuditEntry): Promise<boolean>
  holds(): Promise<Hold[]>
  /** @returns false when somebody else holds it. */
  take(hold: Omit<Hold, 'offeredTo'>, entry: AuditEntry): Promise<boolean>
  /** @returns false when `by` does not hold it. */
  offer(canal: string, offered: { readonly by: string; readonly to: string | null }, entry: AuditEntry): Promise<boolean>
  /** @returns false when `by` does not hold it. */
  release(canal: string, by: string, entry: AuditEntry): Promise<boolean>
}

export type KeyRegistry = {
  /** All or nothing; older keys of the same site are replaced. */
  put(keys: readonly Omit<SiteKey, 'revokedAt'>[]): Promise<void>
  all(): Promise<SiteKey[]>
  revoke(site: string, at: UnixMs): Promise<boolean>
}

export type OrderStep = {
  readonly state: OrderState
  readonly at: number
  readonly by: string
  readonly byName: string
  readonly note: string
  /** The gate as it was then. */
  readonly readings: OrderReadings | null
}
export type OrderRow = {
  readonly id: string
  readonly year: number
  readonly number: number
  readonly area: string
  readonly structure: string
  readonly state: OrderState
  readonly target: OrderTarget
  readonly reason: string
  readonly effectiveAt: number
  /** From the structure to where the order counts; before that it is not overdue. */
  readonly travelMs: number
  readonly steps: readonly OrderStep[]
  readonly createdAt: number
  readonly updatedAt: number
}
export type PlanRow = {
  readonly structure: string
  readonly from: number
  readonly kind: 'tenday' | 'quota'
  readonly volumeM3: number
  readonly by: string
  readonly at: number
}
/** The audit entry about an order, made of its row as it is now kept. */
export type OrderTold = (row: OrderRow) => AuditEntry
export type OrderRegistry = {
  /** Takes the year's next number. */
  add(order: Omit<OrderRow, 'number' | 'updatedAt'>, told: OrderTold): Promise<OrderRow>
  order(id: string): Promise<OrderRow | undefined>
  /** Newest first; `areas` null is all of them. */
  list(filter: { readonly areas: readonly string[] | null }, page: Page): Promise<Paged<OrderRow>>
  /** From `from` only: two people who press at once make one step. @returns the row when the step was made. */
  step(id: string, made: { readonly from: OrderState; readonly step: OrderStep }, told: OrderTold): Promise<OrderRow | undefined>
  /** Plans and the audit entry about them: all of it or nothing. */
  putPlans(plans: readonly PlanRow[], entry: AuditEntry): Promise<void>
  plans(range: { readonly from: number; readonly to: number }): Promise<PlanRow[]>
}
