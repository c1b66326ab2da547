import { Fault } from '#contract/fault.ts'
import type { CommandRow, Hold, Lockout } from '#registry/control-port.ts'

/** Why the center does not send a command, by who or what is in its way. */
export const gateBusy = ({ structure, by, state, action }: CommandRow): Fault =>
  new Fault('GATE_BUSY', `another command of ${structure} has not ended: ${action.kind} by ${by}, ${state}`, 'wait for it, or stop it')
export const taggedOut = ({ structure, byName, reason }: Lockout): Fault =>
  new Fault('TAGGED_OUT', `${structure} is tagged out by ${byName}: ${reason}`, 'ask who tagged it, or a supervisor')
export const canalHeld = ({ canal, name, login }: Hold): Fault =>
  new Fault('CANAL_HELD', `${name} (${login}) holds the control of canal ${canal}`, 'let them hand it over')
export const selectionOver = (): Fault =>
  new Fault('SELECTION_OVER', 'this selection is over, was cancelled, or has been sent already', 'select again')
