import type { CommandAction, PresetAction } from '#contract/command.ts'
import { fixed } from '../display/number.ts'
import { dateTimeText } from '../display/time.ts'
import { useText } from '../i18n/i18n.ts'
import type { TextKey } from '../i18n/zh.ts'

/** What a person can order by a number, or without one, in the order in which it is offered. */
export const KINDS = ['open', 'flow', 'hold_flow', 'hold_level', 'manual'] as const
export type Kind = (typeof KINDS)[number]
export const UNITS = { open: 'm', flow: 'm³/s', hold_flow: 'm³/s', hold_level: 'm', manual: '' } as const satisfies Record<Kind, string>

/** @returns null where a number is needed and none is given. */
export function actionOf(kind: Kind, value: number | null): PresetAction | null {
  const number = value !== null && Number.isFinite(value) ? value : null
  switch (kind) {
    case 'open':
      return number === null ? null : { kind, opening_m: number, leaf: null }
    case 'flow':
    case 'hold_flow':
      return number === null ? null : { kind, flow_m3s: number }
    case 'hold_level':
      return number === null ? null : { kind, level_up_m: number }
    case 'manual':
      return { kind }
  }
}

/** `2026-11-23 14:03`: a preset is never of a second. */
export const presetTime = (at: number): string => dateTimeText(at).slice(0, 16)

/** What is ordered, in words. */
export function useActionWords(): (action: CommandAction) => string {
  const { say } = useText()
  return (action) => {
    switch (action.kind) {
      case 'open':
        return `${say('command.open')} ${fixed(action.opening_m, 3)} m`
      case 'flow':
      case 'hold_flow':
        return `${say(`command.${action.kind}`)} ${fixed(action.flow_m3s, 2)} m³/s`
      case 'hold_level':
        return `${say('command.hold_level')} ${fixed(action.level_up_m, 3)} m`
      case 'schedule':
        return `${say('gatePanels.kind.schedule')} ${say('preset.count', { n: action.presets.length })}`
      default:
        return say(`gatePanels.kind.${action.kind}` as TextKey)
    }
  }
}
