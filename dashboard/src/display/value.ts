import { metricOf } from '#contract/metrics.ts'
import type { Say } from '../i18n/i18n.ts'
import { faultBits, fixed } from './number.ts'

/** A value as a person reads it; `unit` is empty where there is none. */
export type ValueWords = { readonly text: string; readonly unit: string }

/** @param decimals instead of the catalogue's */
export function valueWords(metric: string, value: number, options: { say: Say; decimals?: number }): ValueWords {
  const { say } = options
  const entry = metricOf(metric)
  const coded = codedWords(metric, value, say)
  if (coded !== undefined) return { text: coded, unit: '' }
  return { text: fixed(value, options.decimals ?? entry?.decimals ?? 3), unit: entry?.unit ?? '' }
}

function codedWords(metric: string, value: number, say: Say): string | undefined {
  switch (metric) {
    case 'door':
      return say(value === 0 ? 'value.doorClosed' : 'value.doorOpen')
    case 'moving':
      return say(value === 0 ? 'value.still' : 'value.moving')
    case 'mode':
      return modeWords(value, say)
    case 'fault':
      return value === 0 ? say('value.faultNone') : say('value.faultBits', { bits: faultBits(value) })
    default:
      return undefined
  }
}

function modeWords(value: number, say: Say): string | undefined {
  switch (value) {
    case 0:
      return say('value.modeLocal')
    case 1:
      return say('value.modeRemote')
    case 2:
      return say('value.modeAutomatic')
    default:
      return undefined
  }
}
