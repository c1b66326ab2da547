import type { Logger } from 'pino'
import type { District, Site } from '#contract/district.ts'
import { Fault } from '#contract/fault.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import { GateRtu } from './gate-rtu.ts'
import { ModbusException } from './modbus-exception.ts'
import { type ModbusServer, type ModbusUnits, openModbusServer } from './modbus-server.ts'
import { refuseCoils } from './register-map.ts'
import { openTruthLog, type ServedRead } from './truth.ts'

export type SimulatorSettings = {
  readonly district: District
  /** The profile that every structure serves. */
  readonly profile: DeviceProfile
  readonly host: string
  /** The port of the district's first site; each next site has the next port, whether it is opened or not. 0 takes free ports. */
  readonly basePort: number
  /** The same seed gives the same district at the same time. */
  readonly seed: number
  /** Every answered read is appended here as a line of JSON. */
  readonly truthFile?: string
  /** Ids of the sites to open; all where it is left out. */
  readonly sites?: readonly string[]
}

export type SimulatorDeps = {
  /** The simulated time, ms since 1970 UTC. */
  readonly now: () => number
  readonly logger: Logger
  /** Told of every answered read, beside the truth file. */
  readonly served?: (read: ServedRead) => void
}

export type SimulatedDevice = { readonly structure: string; readonly unit: number; readonly leaves: number }
export type SimulatedSite = {
  readonly id: string
  readonly area: string
  readonly host: string
  readonly port: number
  readonly devices: readonly SimulatedDevice[]
}
export type Simulators = { readonly sites: readonly SimulatedSite[]; close(): Promise<void> }

/**
 * Opens one Modbus TCP server for each site; its structures are units 1, 2, … in the order of structures.yaml. Nothing runs between requests.
 * @throws Fault for a taken port, an unknown site or a profile that can't be served; nothing stays open then.
 */
export async function openSimulators(settings: SimulatorSettings, deps: SimulatorDeps): Promise<Simulators> {
  refuseCoils(settings.profile)
  const chosen = chooseSites(settings)
  const truth = settings.truthFile === undefined ? undefined : openTruthLog(settings.truthFile)
  const open: { site: SimulatedSite; server: ModbusServer }[] = []
  const close = async (): Promise<void> => {
    await Promise.all(open.map(({ server }) => server.close()))
    truth?.close()
  }
  const served = (read: ServedRead): void => {
    truth?.record(read)
    deps.served?.(read)
  }
  try {
    for (const { site, port } of chosen) open.push(await openSite(site, { port, served }, { settings, deps }))
  } catch (error) {
    await close()
    throw error
  }
  deps.logger.info({ district: settings.district.name, sites: open.length, seed: settings.seed }, 'simulated gates listen')
  return { sites: open.map(({ site }) => site), close }
}

/**
 * What {@link openSimulators} will open with these settings, without opening it.
 * @throws Fault CONFIG_INVALID for an unknown site, and for base port 0: free ports are not known beforehand.
 */
export function layoutOf(settings: SimulatorSettings): SimulatedSite[] {
  if (settings.basePort === 0) {
    throw new Fault('CONFIG_INVALID', 'with base port 0 the ports of the sites are known when they listen, not before', 'give a base port')
  }
  return chooseSites(settings).map(({ site, port }) => siteAt(site, port, settings))
}

function chooseSites({ district, sites, basePort }: SimulatorSettings): { site: Site; port: number }[] {
  const unknown = sites?.filter((id) => !district.sites.some((s) => s.id === id)) ?? []
  if (unknown.length > 0) {
    throw new Fault('CONFIG_INVALID', `district ${district.name} has no site ${unknown.join(', ')}`, 'name sites of its sites.yaml')
  }
  const places = district.sites.map((site, i) => ({ site, port: basePort === 0 ? 0 : basePort + i }))
  return sites ? places.filter(({ site }) => sites.includes(site.id)) : places
}

async function openSite(
  site: Site,
  at: { readonly port: number; readonly served: (read: ServedRead) => void },
  { settings, deps }: { readonly settings: SimulatorSettings; readonly deps: SimulatorDeps },
): Promise<{ site: SimulatedSite; server: ModbusServer }> {
  const { district, profile, seed, host } = settings
  const structures = district.structures.filter((s) => s.site === site.id)
  const rtus = structures.map((structure) => ({ structure: structure.id, rtu: new GateRtu({ structure, profile, seed }) }))
  const now = (): UnixMs => unixMs(deps.now())
  const rtuOf = (unit: number): { structure: string; rtu: GateRtu } => {
    const found = rtus[unit - 1]
    if (!found) throw new ModbusException('noSuchUnit', `site ${site.id} has no unit ${unit}`)
    return found
  }
  const units: ModbusUnits = {
    read: (unit, fc, { address, length }) => {
      const { structure, rtu } = rtuOf(unit)
      if (length > profile.max_words)
        throw new ModbusException('illegalValue', `${length} registers are more than the device gives at once`)
      const t = now()
      const image = rtu.read(t)
      const space = fc === 3 ? image.holding : image.input
      if (address + length > space.length) throw new ModbusException('illegalAddress', `register ${address + length - 1} does not exist`)
      const words = space.slice(address, address + length)
      at.served({ site: site.id, unit, structure, t, fc, address, words })
      return words
    },
    write: (unit, address, words) => rtuOf(unit).rtu.write(address, words, now()),
  }
  const server = await openModbusServer({ host, port: at.port }, units, deps.logger)
  return { site: siteAt(site, server.port, settings), server }
}

function siteAt(site: Site, port: number, { district, host }: SimulatorSettings): SimulatedSite {
  const structures = district.structures.filter((s) => s.site === site.id)
  const devices = structures.map((s, i) => ({ structure: s.id, unit: i + 1, leaves: s.leaves }))
  return { id: site.id, area: site.area, host, port, devices }
}
