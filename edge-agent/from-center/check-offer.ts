import { parseDocument } from 'yaml'
import { parseConfig, placesIn } from '#contract/config.ts'
import { Fault } from '#contract/fault.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { type CheckResult, checkSettings, type Finding } from '../commission/check.ts'
import { CenterPart, type EdgeSettings } from '../settings.ts'
import { joined, OWN_SETTINGS } from './center-part.ts'
import { tightenedBuses } from './moved-gates.ts'

/**
 * What the center sends, looked at as `sluice edge check` looks at a file, and for what the center may not do. Pure.
 * @returns the site's whole settings with it, or each mistake with its line and column in the center's text.
 */
export function checkOffer(
  own: EdgeSettings,
  { file, text, profiles }: { readonly file: string; readonly text: string; readonly profiles: ReadonlyMap<string, DeviceProfile> },
): CheckResult {
  const place = placesIn({ file, text })
  const refused = (findings: readonly Finding[]): CheckResult => ({
    kind: 'refused',
    errors: findings.map((f) => `${place(f.path)} ${f.path.join('.')}: ${f.text}`),
  })
  const doc = parseDocument(text)
  if (doc.errors.length === 0) {
    const foreign = OWN_SETTINGS.filter((path) => doc.hasIn(path))
    if (foreign.length > 0)
      return refused(foreign.map((path) => ({ path, text: 'belongs to the site’s own file and is not set from the center' })))
  }
  let part: CenterPart
  try {
    part = parseConfig(CenterPart, { file, text })
  } catch (error) {
    if (error instanceof Fault) return { kind: 'refused', errors: error.message.split('\n') }
    throw error
  }
  const isGiven = (path: readonly string[]): boolean => doc.hasIn(path.map((p) => (/^\d+$/.test(p) ? Number(p) : p)))
  const { buses, findings } = tightenedBuses(own.buses, part.buses, { profiles, isGiven })
  if (findings.length > 0) return refused(findings)
  return checkSettings(joined(own, { ...part, buses }), { file, profiles, place })
}
