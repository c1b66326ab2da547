/**
 * What validation thinks of a sample that its device called GOOD. The number stands in the store's `<metric>_v` field, so it never changes its
 * meaning: add at the end.
 */
export const VERDICT_CAUSES = {
  hard_limit: 1,
  soft_limit: 2,
  rate_of_rise: 3,
  rate_of_fall: 4,
  frozen: 5,
  spike: 6,
  neighbour: 7,
  derived_flow: 8,
  low_head: 9,
  out_of_method: 10,
  reversed: 11,
  clock: 12,
  other: 99,
} as const
export type VerdictCause = keyof typeof VERDICT_CAUSES

/** A sample without one is reliable. An unreliable one is left out of means and volumes, and still drawn. */
export type Verdict = { readonly level: 'doubtful' | 'unreliable'; readonly cause: VerdictCause }

const LEVELS = { doubtful: 1000, unreliable: 2000 } as const
/** Codes from here on are unreliable. */
export const UNRELIABLE_FROM: number = LEVELS.unreliable

const CAUSE_BY_CODE = new Map<number, VerdictCause>(Object.entries(VERDICT_CAUSES).map(([cause, code]) => [code, cause as VerdictCause]))

/** 0 reliable, 1000 + cause doubtful, 2000 + cause unreliable. */
export const verdictCode = (verdict: Verdict | undefined): number =>
  verdict === undefined ? 0 : LEVELS[verdict.level] + VERDICT_CAUSES[verdict.cause]

export function verdictOf(code: number): Verdict | undefined {
  if (code < LEVELS.doubtful) return undefined
  const cause = CAUSE_BY_CODE.get(code % 1000) ?? 'other'
  return { level: code >= LEVELS.unreliable ? 'unreliable' : 'doubtful', cause }
}
