import type { CommandView, HoldView, LockoutView } from '#contract/http/command.ts'
import type { CommandRow, Hold, Lockout } from '#registry/control-port.ts'

/** Rows as the API shows them. */
export const commandView = (row: CommandRow): CommandView => ({
  id: row.id,
  structure: row.structure,
  area: row.area,
  action: row.action,
  state: row.state,
  reason: row.reason,
  needs_second: row.needsSecond,
  by: row.by,
  approved_by: row.approvedBy,
  order: row.order,
  counter: row.counter,
  selected_at: row.selectedAt,
  expires_at: row.expiresAt,
  confirmed_at: row.confirmedAt,
  moving_at: row.movingAt,
  updated_at: row.updatedAt,
  report: row.report,
})
export const lockoutView = ({ id, structure, reason, by, byName, at, until }: Lockout): LockoutView => ({
  id,
  structure,
  reason,
  by,
  by_name: byName,
  at,
  until,
})
export const holdView = ({ canal, login, name, since, offeredTo }: Hold): HoldView => ({ canal, login, name, since, offered_to: offeredTo })
