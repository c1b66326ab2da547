import type { Logger } from 'pino'
import type { District, Site } from '#contract/district.ts'
import { Fault } from '#contract/fault.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { CanalModel } from './canal/model.ts'
import { type Control, openControl } from './control.ts'
import { checkTarget, type Targets } from './faults/target.ts'
import { Faults } from './faults.ts'
import { GateRtu } from './gate-rtu.ts'
import { type ModbusServer, openModbusServer } from './modbus-server.ts'
import { refuseCoils } from './register-map.ts'
import type { Scenario } from './scenario.ts'
import { gateDevice } from './served-device.ts'
import { connectTo, type SiteDevices } from './site-devices.ts'
import { canalSurroundings } from './surroundings.ts'
import { openTruthLog, type ServedRead } from './truth.ts'
import { TCP_WIRE } from './wire.ts'

export type SimulatorSettings = {
  readonly district: District
  /** The profile that every structure serves. */
  readonly profile: DeviceProfile
  readonly host: string
  /** The port of the district's first site; each next site has the next port, whether it is opened or not. 0 takes free ports. */
  readonly basePort: number
  /** The same seed gives the same district at the same time. */
  readonly seed: number
  /** The canals that the structures stand in; without them each swings by itself. */
  readonly canals?: CanalModel
  /** Every read is appended here as a line of JSON: see {@link ServedRead}. */
  readonly truthFile?: string
  /** Ids of the sites to open; all where it is left out. */
  readonly sites?: readonly string[]
  /** Faults that come by themselves; their times count from the moment when the simulators open. */
  readonly scenario?: Scenario
  /** Faults are ordered over HTTP at this port of 127.0.0.1; 0 takes a free one. No endpoint where it is left out. */
  readonly controlPort?: number
}

export type SimulatorDeps = {
  /** The simulated time, ms since 1970 UTC. */
  readonly now: () => number
  readonly logger: Logger
  /** Told of every read, beside the truth file. */
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
export type Simulators = {
  readonly sites: readonly SimulatedSite[]
  /** `http://127.0.0.1:…`, with a control port. */
  readonly controlUrl: string | null
  close(): Promise<void>
}

/**
 * Opens one Modbus TCP server for each site; its structures are units 1, 2, … in the order of structures.yaml. Nothing runs between requests.
 * @throws Fault for a taken port, an unknown site, a profile that can't be served or a fault that strikes nothing; nothing stays open then.
 */
export async function openSimulators(settings: SimulatorSettings, deps: SimulatorDeps): Promise<Simulators> {
  refuseCoils(settings.profile)
  const chosen = chooseSites(settings)
  const started = unixMs(deps.now())
  const faults = new Faults(settings.seed)
  settings.canals?.lay((canal, t) => faults.canalAt(canal, t))
  const targets = targetsOf(settings)
  for (const order of settings.scenario?.faults ?? []) {
    checkTarget(order, targets, 'CONFIG_INVALID')
    faults.add(order, started)
  }
  const truth = settings.truthFile === undefined ? undefined : openTruthLog(settings.truthFile)
  const open: { site: SimulatedSite; server: ModbusServer }[] = []
  let control: Control | null = null
  const close = async (): Promise<void> => {
    await Promise.all([control?.close(), ...open.map(({ server }) => server.close())])
    truth?.close()
  }
  const served = (read: ServedRead): void => {
    truth?.record(read)
    deps.served?.(read)
  }
  try {
    for (const { site, port } of chosen) open.push(await openSite(site, { port, served, faults }, { settings, deps }))
    const sites = open.map(({ site }) => site)
    if (settings.controlPort !== undefined) {
      const now = (): UnixMs => unixMs(deps.now())
      control = await openControl(settings.controlPort, { faults, sites, started, now, targets }, deps.logger)
    }
    deps.logger.info({ district: settings.district.name, sites: open.length, seed: settings.seed }, 'simulated gates listen')
    return { sites, controlUrl: control?.url ?? null, close }
  } catch (error) {
    await close()
    throw error
  }
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
  at: { readonly port: number; readonly served: (read: ServedRead) => void; readonly faults: Faults },
  { settings, deps }: { readonly settings: SimulatorSettings; readonly deps: SimulatorDeps },
): Promise<{ site: SimulatedSite; server: ModbusServer }> {
  const { district, profile, seed, host, canals } = settings
  const structures = district.structures.filter((s) => s.site === site.id)
  const devices: SiteDevices = {
    site: site.id,
    wire: TCP_WIRE,
    units: structures.map((structure) => ({
      structure: structure.id,
      device: gateDevice(
        new GateRtu({ structure, profile, seed, ...(canals && { surroundings: canalSurroundings(canals, structure.id) }) }),
        profile,
      ),
    })),
    faults: at.faults,
    now: () => unixMs(deps.now()),
    served: at.served,
  }
  const server = await openModbusServer({ host, port: at.port }, () => connectTo(devices), { wire: TCP_WIRE, logger: deps.logger })
  return { site: siteAt(site, server.port, settings), server }
}

function targetsOf({ district, profile, canals }: SimulatorSettings): Targets {
  const unitsAt = (id: string) => district.structures.filter((s) => s.site === id).map(({ leaves }) => ({ profile, leaves }))
  return {
    name: district.name,
    sites: district.sites.map(({ id }) => ({ site: id, wire: 'tcp', units: unitsAt(id) })),
    canals: canals?.canals ?? [],
  }
}

function siteAt(site: Site, port: number, { district, host }: SimulatorSettings): SimulatedSite {
  const structures = district.structures.filter((s) => s.site === site.id)
  const devices = structures.map((s, i) => ({ structure: s.id, unit: i + 1, leaves: s.leaves }))
  return { id: site.id, area: site.area, host, port, devices }
}
