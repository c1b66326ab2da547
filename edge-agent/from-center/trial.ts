import { type Static, Type } from 'typebox'
import { type ConfigOffer, type ConfigOutcome, ConfigReport, MOST_REASON_CHARS, type RunningConfig } from '#contract/site-config.ts'

/**
 * A version from the center on its way: seen, on trial, in force or gone back on. Pure: each step gives the state to be kept on the disk, as a
 * whole, before anything is done by it, so that a kill at any moment leaves the one before or the one after.
 */

const closed = { additionalProperties: false } as const

const KeptVersion = Type.Object(
  {
    version: Type.Integer({ minimum: 1 }),
    hash: Type.String(),
    text: Type.String(),
    /** Hash of what the site's own file said when it was taken over: once that is edited, who stands at the site has the last word. */
    own: Type.String(),
  },
  closed,
)
export type KeptVersion = Static<typeof KeptVersion>

export const KeptConfig = Type.Object(
  {
    v: Type.Literal(1),
    /** The highest version ever offered; 0 before the first. */
    seen: Type.Integer({ minimum: 0 }),
    /** null: the site's own file. */
    in_force: Type.Union([KeptVersion, Type.Null()]),
    trial: Type.Union([
      Type.Object({ version: KeptVersion, trial_s: Type.Number({ minimum: 1 }), starts: Type.Integer({ minimum: 0 }) }, closed),
      Type.Null(),
    ]),
    /** The last word to the center; it is said again when the center asks again. */
    report: Type.Union([ConfigReport, Type.Null()]),
  },
  closed,
)
export type KeptConfig = Static<typeof KeptConfig>

export const NOTHING_KEPT: KeptConfig = { v: 1, seen: 0, in_force: null, trial: null, report: null }

/** A program that ends again and again while a version is on trial may end because of it. */
const MOST_STARTS = 2

/** Of who tells: the site, its own file as the center sees it, and the time. */
export type Teller = { readonly site: string; readonly own: RunningConfig; readonly t: number }

/** What runs by what is kept. */
export const runningOf = (kept: KeptConfig, own: RunningConfig): RunningConfig => {
  const version = kept.trial?.version ?? kept.in_force
  return version ? { version: version.version, hash: version.hash } : own
}

const told = (
  kept: KeptConfig,
  { version, state, reason = null }: { version: number; state: ConfigOutcome; reason?: string | null },
  { site, own, t }: Teller,
): KeptConfig => {
  const running = runningOf(kept, own)
  const seen = Math.max(kept.seen, version)
  return {
    ...kept,
    seen,
    report: { v: 1, kind: 'report', site, version, state, reason: reason?.slice(0, MOST_REASON_CHARS) ?? null, seen, running, t },
  }
}

/** The program starts: a version on trial goes on, with its whole time, but not for ever; one of before the site's file was edited does not. */
export function atStart(kept: KeptConfig, teller: Teller): KeptConfig {
  const { trial } = kept
  const own = teller.own.hash
  if (trial && trial.version.own !== own) return atStart(rolledBack(kept, 'the site’s own file was edited meanwhile', teller), teller)
  if (trial && trial.starts >= MOST_STARTS)
    return atStart(rolledBack(kept, 'the agent ended several times while it was on trial', teller), teller)
  if (kept.in_force && kept.in_force.own !== own) return setAside(kept, 'the site’s own file was edited since', teller)
  return trial ? { ...kept, trial: { ...trial, starts: trial.starts + 1 } } : kept
}

/** @param verdict of the check: null, or each mistake. */
export function offered(
  kept: KeptConfig,
  offer: ConfigOffer,
  verdict: string | null,
  { hash, ...teller }: Teller & { hash: string },
): KeptConfig {
  const { version, text, trial_s } = offer
  if (verdict !== null) return told(kept, { version, state: 'refused', reason: verdict }, teller)
  const trial = { version: { version, hash, text, own: teller.own.hash }, trial_s, starts: 0 }
  return told({ ...kept, trial }, { version, state: 'trial' }, teller)
}

/** The center was heard with what is on trial. */
export function inContact(kept: KeptConfig, teller: Teller): KeptConfig {
  if (!kept.trial) return kept
  const { version } = kept.trial
  return told({ ...kept, in_force: version, trial: null }, { version: version.version, state: 'in_force' }, teller)
}

export function rolledBack(kept: KeptConfig, reason: string, teller: Teller): KeptConfig {
  if (!kept.trial) return kept
  return told({ ...kept, trial: null }, { version: kept.trial.version.version, state: 'rolled_back', reason }, teller)
}

export function setAside(kept: KeptConfig, reason: string, teller: Teller): KeptConfig {
  if (!kept.in_force) return kept
  return told({ ...kept, in_force: null }, { version: kept.in_force.version, state: 'set_aside', reason }, teller)
}
