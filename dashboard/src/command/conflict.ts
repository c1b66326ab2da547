import type { GateControl } from '#contract/http/command.ts'
import { momentText } from '../display/time.ts'
import { RequestFailure } from '../http/client.ts'
import { useText } from '../i18n/i18n.ts'
import { useGates } from '../live/gates.ts'
import { useTagWords } from '../tag/words.ts'
import { stateKey } from './state-key.ts'
import { useActionWords } from './words.ts'

/** What the person was at when it was refused. */
export type ControlStep = 'select' | 'confirm' | 'approve' | 'cancel' | 'stop' | 'tag'
type Ground = { readonly step: ControlStep; readonly control: GateControl | null }

/** Why a command was not sent, and what to do: who or what is in its way, from how the gate is held now; else in the server's own words. */
export function useConflictWords(): (error: unknown, ground: Ground) => string {
  const { say } = useText()
  const gates = useGates()
  const tagWords = useTagWords()
  const what = useActionWords()

  /** The server says CONFLICT of whatever is no longer as the person saw it. */
  function noLongerSo(step: ControlStep): string | null {
    switch (step) {
      case 'select':
        return say('command.conflict.order')
      case 'approve':
        return say('command.conflict.notWaiting')
      case 'cancel':
        return say('command.conflict.notCancelled')
      case 'confirm':
      case 'stop':
      case 'tag':
        return null
    }
  }
  function inTheWay(code: string | undefined, { step, control }: Ground): string | null {
    const { under_way, lockouts, hold } = control ?? { under_way: null, lockouts: [], hold: null }
    switch (code) {
      case 'GATE_BUSY':
        return under_way
          ? say('command.conflict.busy', { what: what(under_way.action), state: say(stateKey(under_way)), by: under_way.by })
          : say('command.conflict.wasBusy')
      case 'TAGGED_OUT':
        return lockouts[0] ? say('command.conflict.tagged', { tag: tagWords.line(lockouts[0]) }) : null
      case 'CANAL_HELD':
        return hold && say('command.conflict.held', { name: hold.name, login: hold.login, since: momentText(hold.since, gates.now) })
      case 'SELECTION_OVER':
        return say('command.conflict.over')
      case 'SECOND_FACTOR_NEEDED':
        return say('command.needsFactor')
      case 'NOT_ALLOWED':
        return say('command.conflict.notAllowed')
      case 'BAD_REQUEST':
        return step === 'select' ? say('command.conflict.badTarget') : null
      case 'CONFLICT':
        return control?.available === false ? say('command.unavailable') : noLongerSo(step)
      case 'REGISTRY_UNREACHABLE':
        return say('command.conflict.noAnswer')
      default:
        return null
    }
  }
  return (error, ground) => {
    if (error instanceof RequestFailure && error.status === 0) return say('command.conflict.noAnswer')
    const code = error instanceof RequestFailure ? error.problem?.code : undefined
    return inTheWay(code, ground) ?? say('command.noAnswer', { detail: error instanceof Error ? error.message : String(error) })
  }
}
