import { canonicalJson } from '#contract/canonical.ts'
import { MOST_PAST_PRESETS, type PastPreset, type Preset } from '#contract/command.ts'
import type { GateControl } from '#contract/http/command.ts'

/** What was ordered, as far as it is to be done still: by the last schedule, or gone from it. */
export type Required = 'ordered' | 'cancelled' | 'over'
/** What the agent says of it. */
export type AtSite =
  | { readonly is: 'held' }
  /** Its time has come, and nothing has been heard of it since. */
  | { readonly is: 'due' }
  /** The agent has not answered to the last schedule yet. */
  | { readonly is: 'unconfirmed' }
  /** It has answered, and does not have it. */
  | { readonly is: 'missing' }
  | { readonly is: 'past'; readonly past: PastPreset }
export type PresetRow = Preset & { readonly key: string; readonly required: Required; readonly atSite: AtSite }

const keyOf = ({ at, action }: Preset): string => `${at} ${canonicalJson(action)}`

/** The presets of a gate, those to come first: what is required beside what the agent has. @param now ms since 1970 UTC */
export function presetRows({ status, schedule }: Pick<GateControl, 'status' | 'schedule'>, now: number): PresetRow[] {
  const ordered = schedule?.action.kind === 'schedule' ? schedule.action.presets : []
  // The report that it is in force may come before the status of after it.
  const isConfirmed = schedule?.state === 'done' && (status?.counter ?? -1) >= (schedule.counter ?? 0)
  const isOrdered = new Set(ordered.map(keyOf))
  const held = status?.presets ?? []
  const past = status?.past ?? []
  const known = new Set([...held, ...past].map(keyOf))
  const coming: PresetRow[] = [
    ...held.map((preset) => ({
      ...preset,
      key: keyOf(preset),
      required: schedule && !isConfirmed && !isOrdered.has(keyOf(preset)) ? ('cancelled' as const) : ('ordered' as const),
      atSite: { is: preset.at > now ? ('held' as const) : ('due' as const) },
    })),
    ...ordered
      .filter((preset) => !known.has(keyOf(preset)))
      // Of what is long past the agent tells no more.
      .filter(({ at }) => !isConfirmed || at > now || (status?.past !== undefined && past.length < MOST_PAST_PRESETS))
      .map((preset) => ({
        ...preset,
        key: keyOf(preset),
        required: 'ordered' as const,
        atSite: { is: isConfirmed ? ('missing' as const) : ('unconfirmed' as const) },
      })),
  ]
  const over = past.map((p) => {
    const preset = { at: p.at, action: p.action }
    return { ...preset, key: `${keyOf(preset)} ${p.t}`, required: 'over' as const, atSite: { is: 'past' as const, past: p } }
  })
  return [...coming.sort((a, b) => a.at - b.at), ...over.toReversed()]
}

/** What stays ordered when presets are added or cancelled: a schedule takes the place of the one before. */
export const standingPresets = (rows: readonly PresetRow[], now: number): PresetRow[] =>
  rows.filter(({ at, required, atSite }) => required === 'ordered' && at > now && (atSite.is === 'held' || atSite.is === 'missing'))
