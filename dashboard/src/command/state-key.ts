import type { CommandView } from '#contract/http/command.ts'
import type { TextKey } from '../i18n/zh.ts'

const MOVES: readonly string[] = ['open', 'flow', 'stop'] satisfies CommandView['action']['kind'][]

/** The text of a command's state. Of what moves a leaf the encoder has the last word; a tag or a mode is in force, and no encoder was asked. */
export const stateKey = ({ state, action }: Pick<CommandView, 'state' | 'action'>): TextKey =>
  state === 'done' && !MOVES.includes(action.kind) ? 'command.inForce' : `command.state.${state}`

/** Nobody has confirmed or approved it in time, and nobody can any more. @param now ms since 1970 UTC */
export const hasLapsed = ({ state, expires_at }: Pick<CommandView, 'state' | 'expires_at'>, now: number): boolean =>
  (state === 'selected' || state === 'awaiting') && expires_at <= now

/** As `stateKey`, of a command as it stands at `now`. */
export const stateKeyAt = (command: Pick<CommandView, 'state' | 'action' | 'expires_at'>, now: number): TextKey =>
  hasLapsed(command, now) ? 'command.lapsed' : stateKey(command)

/** Why it was refused or did not end where it should. */
export const reasonKey = (reason: string): TextKey => `command.reason.${reason}` as TextKey
