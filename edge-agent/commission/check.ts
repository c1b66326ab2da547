import { parseConfig, placesIn } from '#contract/config.ts'
import { Fault } from '#contract/fault.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { toDevice } from '../modbus/device.ts'
import { checkEdgeSettings, EdgeSettings } from '../settings.ts'
import { suspicionsOfProfile } from './suspect-profile.ts'
import { suspicionsOfSite } from './suspect-site.ts'

/** A site's file, looked at as closely as can be without a connection. */

export type Finding = { readonly path: readonly string[]; readonly text: string }
export type CheckResult =
  /** The agent would not start with it. */
  | { readonly kind: 'refused'; readonly errors: readonly string[] }
  | { readonly kind: 'accepted'; readonly settings: EdgeSettings; readonly warnings: readonly string[] }

export type CheckSource = {
  readonly file: string
  readonly text: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly profiles: ReadonlyMap<string, DeviceProfile>
}

/** Each error and warning begins with file, line and column. */
export function checkConfig(source: CheckSource): CheckResult {
  let settings: EdgeSettings
  try {
    settings = parseConfig(EdgeSettings, { file: source.file, text: source.text, ...(source.env ? { env: source.env } : {}) })
  } catch (error) {
    if (error instanceof Fault) return { kind: 'refused', errors: error.message.split('\n') }
    throw error
  }
  return checkSettings(settings, { ...source, place: placesIn(source) })
}

/** What there is to say of settings that fit the schema. `place` says where one stands in the text that they came from. */
export function checkSettings(
  settings: EdgeSettings,
  source: Pick<CheckSource, 'file' | 'profiles'> & { readonly place: ReturnType<typeof placesIn> },
): CheckResult {
  const { place } = source
  const written = (findings: readonly Finding[]): string[] => findings.map((f) => `${place(f.path)} ${f.path.join('.')}: ${f.text}`)
  const tried = devicesOf(settings, source.profiles)
  const errors = [...twiceIn(settings), ...tried.flatMap((t) => t.errors), ...sameMetricIn(tried)]
  if (errors.length > 0) return { kind: 'refused', errors: written(errors) }
  try {
    // Whatever only the agent itself knows to refuse.
    checkEdgeSettings(settings)
  } catch (error) {
    if (error instanceof Fault) return { kind: 'refused', errors: [`${source.file}: ${error.message}`] }
    throw error
  }
  const devices = tried.flatMap((t) => (t.device ? [t.device] : []))
  const used = new Set(settings.buses.flatMap((b) => b.devices.map((d) => d.profile)))
  const ofProfiles = [...used].flatMap((name) => {
    const path = placeOfProfile(settings, name)
    const profile = source.profiles.get(name)
    return profile ? suspicionsOfProfile(profile).map((text) => ({ path, text: `profile ${name}: ${text}` })) : []
  })
  return { kind: 'accepted', settings, warnings: written([...suspicionsOfSite(settings, devices), ...ofProfiles]) }
}

type Tried = { readonly path: readonly string[]; readonly errors: readonly Finding[]; readonly device?: ReturnType<typeof toDevice> }

function devicesOf(settings: EdgeSettings, profiles: ReadonlyMap<string, DeviceProfile>): Tried[] {
  return settings.buses.flatMap((bus, b) =>
    bus.devices.map((device, d): Tried => {
      const path = ['buses', String(b), 'devices', String(d), 'profile']
      const profile = profiles.get(device.profile)
      if (!profile)
        return {
          path,
          errors: [{ path, text: `there is no profile ${device.profile}; there are ${[...profiles.keys()].join(', ') || 'none'}` }],
        }
      try {
        return { path, errors: [], device: toDevice(device, profile) }
      } catch (error) {
        if (error instanceof Fault) return { path, errors: [{ path, text: error.message }] }
        throw error
      }
    }),
  )
}

/** Several devices may make up a structure, but each metric comes from one. */
function sameMetricIn(tried: readonly Tried[]): Finding[] {
  const given = new Set<string>()
  return tried.flatMap(({ path, device }) => {
    const names = device?.metrics.map((metric) => `${device.structure}: ${metric}`) ?? []
    const again = names.filter((name) => given.has(name))
    for (const name of names) given.add(name)
    return again.length === 0
      ? []
      : [{ path, text: `another device gives the same: ${again.join(', ')}; rename it by points: { METRIC: { as: OTHER } }, or omit it` }]
  })
}

function twiceIn(settings: EdgeSettings): Finding[] {
  const seen = new Set<string>()
  const again = (what: string, name: string, path: readonly string[]): Finding[] => {
    const known = seen.has(`${what} ${name}`)
    seen.add(`${what} ${name}`)
    return known ? [{ path, text: `${what} ${name} stands twice` }] : []
  }
  return settings.buses.flatMap((bus, b) => [
    ...again('bus', bus.name, ['buses', String(b), 'name']),
    ...(bus.transport === 'serial' ? again('serial port', bus.path, ['buses', String(b), 'path']) : []),
  ])
}

function placeOfProfile(settings: EdgeSettings, name: string): string[] {
  const b = settings.buses.findIndex((bus) => bus.devices.some((d) => d.profile === name))
  const d = settings.buses[b]?.devices.findIndex((device) => device.profile === name) ?? 0
  return ['buses', String(b), 'devices', String(d), 'profile']
}
