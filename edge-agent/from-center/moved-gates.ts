import { isDeepStrictEqual } from 'node:util'
import { Value } from 'typebox/value'
import { type ControlLimits, tightest } from '#contract/control-limits.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import type { BusSettings, DeviceSettings } from '../bus-settings.ts'
import { leafRegisters } from '../command/leaf-drive.ts'
import { StructureControl } from '../command/settings.ts'
import type { Finding } from '../commission/check.ts'

/**
 * What the center may not change of gates that the site moves: which leaf a command reaches, and anything about how it is moved but tighter
 * limits. Else whoever holds the center could move one gate under the limits of another. Pure.
 */

type Moved = { readonly bus: BusSettings; readonly device: DeviceSettings; readonly path: readonly string[] }

/** @param isGiven whether the center's text names this setting. @returns the buses with the narrower limits, or what is wrong. */
export function tightenedBuses(
  own: readonly BusSettings[],
  asked: readonly BusSettings[],
  { profiles, isGiven }: { profiles: ReadonlyMap<string, DeviceProfile>; isGiven: (path: readonly string[]) => boolean },
): { readonly buses: BusSettings[]; readonly findings: readonly Finding[] } {
  const ours = new Map(movedIn(own, profiles).map((m) => [keyOf(m), m]))
  const wanted = movedIn(asked, profiles)
  const findings = wanted.flatMap((m) => changesOf(ours.get(keyOf(m)), m, isGiven))
  const buses = asked.map((bus) => ({
    ...bus,
    devices: bus.devices.map((device): DeviceSettings => {
      const mine = ours.get(keyOf({ device }))
      if (!mine) return device
      const control = controlOf(mine.device)
      return { ...device, control: { ...control, limits: tightest(control.limits, controlOf(device).limits) } }
    }),
  })) as BusSettings[]
  return { buses, findings }
}

const keyOf = ({ device }: Pick<Moved, 'device'>): string => `${device.structure} ${device.profile}`
const controlOf = (device: DeviceSettings): StructureControl => device.control ?? (Value.Default(StructureControl, {}) as StructureControl)

/** Devices with a drive for a leaf. */
function movedIn(buses: readonly BusSettings[], profiles: ReadonlyMap<string, DeviceProfile>): Moved[] {
  return buses.flatMap((bus, b) =>
    bus.devices.flatMap((device, d): Moved[] => {
      const profile = profiles.get(device.profile)
      return profile && leafRegisters(profile, device.unit, 0) ? [{ bus, device, path: ['buses', String(b), 'devices', String(d)] }] : []
    }),
  )
}

function changesOf(mine: Moved | undefined, { bus, device, path }: Moved, isGiven: (path: readonly string[]) => boolean): Finding[] {
  const name = device.structure
  if (!mine) return [{ path: [...path, 'structure'], text: `${name} could be moved, and is not in the site’s own file: add it there` }]
  const found: Finding[] = []
  if (!isDeepStrictEqual(wayOf(mine.bus), wayOf(bus)))
    found.push({ path, text: `${name} can be moved: its bus and address are changed in the site’s own file alone` })
  const [have, want] = [fixedOf(mine.device), fixedOf(device)]
  for (const key of Object.keys({ ...have, ...want }))
    if (!isDeepStrictEqual(have[key], want[key]))
      found.push({ path: [...path, key], text: `${name} can be moved: this is changed in the site’s own file alone` })
  const [own, limits] = [controlOf(mine.device), controlOf(device)]
  for (const key of Object.keys(StructureControl.properties) as (keyof StructureControl)[])
    if (key !== 'limits' && isGiven([...path, 'control', key]) && !isDeepStrictEqual(own[key], limits[key]))
      found.push({
        path: [...path, 'control', key],
        text: 'how a leaf is moved is changed in the site’s own file alone; its limits may be tightened',
      })
  const narrow = tightest(own.limits, limits.limits)
  for (const key of Object.keys(limits.limits) as (keyof ControlLimits)[])
    if (isGiven([...path, 'control', 'limits', key]) && !isWithin(narrow[key], limits.limits[key]))
      found.push({ path: [...path, 'control', 'limits', key], text: 'is wider than the site’s own limit: the center can only tighten it' })
  return found
}

/** Whether joining the two has left what was asked as it is. */
const isWithin = (narrow: unknown, asked: unknown): boolean =>
  typeof asked === 'object' && asked !== null
    ? Object.entries(asked).every(([key, value]) => (narrow as Record<string, unknown> | undefined)?.[key] === value)
    : narrow === asked

/** How a bus is reached. How long it waits is no way. */
function wayOf(bus: BusSettings): Record<string, unknown> {
  const { devices: _, timeout_ms: _t, pause_ms: _p, ...way } = bus
  return Object.fromEntries(Object.entries(way).filter(([key]) => key !== 'late_ms'))
}

/** What says which registers a device is. */
function fixedOf({ control: _, omit: _o, ...fixed }: DeviceSettings): Record<string, unknown> {
  return fixed
}
