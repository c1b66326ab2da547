import { useText } from '../i18n/i18n.ts'
import { useGates } from '../live/gates.ts'
import type { Limit } from './use-trend.ts'

/** The name of a limit as it stands at its line. @param withGate where several gates share a pane */
export function useLimitLabel(withGate: () => boolean = () => false): (limit: Limit) => string {
  const { say, nameOf } = useText()
  const gates = useGates()
  return ({ gate, kind }) => {
    const word = say(kind === 'level_guarantee' ? 'trend.limitGuarantee' : 'trend.limitWarning')
    const found = withGate() ? gates.signals.find((s) => s.gate.id === gate) : undefined
    return found ? `${nameOf(found.gate.name)} ${word}` : word
  }
}
