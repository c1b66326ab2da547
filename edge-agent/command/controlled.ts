import type { Logger } from 'pino'
import { Value } from 'typebox/value'
import { Fault } from '#contract/fault.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { NAMES } from '#contract/topics.ts'
import type { Bus } from '../modbus/bus.ts'
import type { Device } from '../modbus/device.ts'
import type { BusSettings, EdgeSettings } from '../settings.ts'
import { leafRegisters } from './leaf-drive.ts'
import { StructureControl } from './settings.ts'
import { type Controlled, SiteController, type SiteControllerDeps } from './site-controller.ts'
import { drivesOf } from './structure-controller.ts'

/** A device's own metrics of control, beside those of the catalogue. */
export const CONTROL_METRICS = [NAMES.command, NAMES.commandState, NAMES.control] as const

type Wired = { readonly bus: Bus; readonly settings: BusSettings; readonly devices: readonly Device[] }
type ReadNow = (at: { readonly device: Device; readonly bus: Bus; readonly name: string }) => Promise<void>

/** The structures of a site that its profiles let us move. */
function controlledOf(buses: readonly Wired[], profiles: ReadonlyMap<string, DeviceProfile>, readNow: ReadNow): Controlled[] {
  return buses.flatMap(({ bus, settings, devices }) =>
    settings.devices.flatMap((d): Controlled[] => {
      const profile = profiles.get(d.profile)
      const device = devices.find((x) => x.structure === d.structure)
      const registers = Array.from({ length: d.leaves }, (_, leaf) => profile && leafRegisters(profile, d.unit, leaf))
      if (!device || !registers.every((r) => r !== null && r !== undefined)) return []
      return [
        {
          structure: d.structure,
          leaves: d.leaves,
          control: d.control ?? (Value.Default(StructureControl, {}) as StructureControl),
          drives: drivesOf(bus, registers),
          readNow: () => readNow({ device, bus, name: settings.name }),
        },
      ]
    }),
  )
}

/** @returns null for a site without keys: it takes no command. @throws Fault CONFIG_INVALID for a key that is none. */
export async function openControl(
  settings: EdgeSettings,
  deps: Omit<SiteControllerDeps, 'address' | 'settings' | 'structures'> & {
    readonly buses: readonly Wired[]
    readonly profiles: ReadonlyMap<string, DeviceProfile>
    readonly readNow: ReadNow
    readonly log: Logger
  },
): Promise<SiteController | null> {
  if (!settings.control) return null
  const { buses, profiles, readNow, ...rest } = deps
  try {
    return await SiteController.open({
      ...rest,
      address: { group: settings.area, node: settings.site },
      settings: settings.control,
      structures: controlledOf(buses, profiles, readNow),
    })
  } catch (cause) {
    if (!(cause instanceof TypeError) && !(cause instanceof Error && 'code' in cause && String(cause.code).startsWith('ERR_CRYPTO')))
      throw cause
    throw new Fault(
      'CONFIG_INVALID',
      `site ${settings.site}: control.command_keys holds no Ed25519 public key`,
      'copy the public key that provisioning wrote',
      { cause },
    )
  }
}
