import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '#contract/fault.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { parseBusUrl } from '#edge-agent/commission/bus-url.ts'
import { checkConfig } from '#edge-agent/commission/check.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import type { BusAddress } from '#edge-agent/modbus/bus.ts'
import type { EdgeSettings } from '#edge-agent/settings.ts'
import { folders } from './folders.ts'
import { readText } from './read-text.ts'

/** Those that come with Sluice, and those of the site in `profiles/` beside its file (or in the folder where the command is given). */
export async function profilesBeside(file = '.'): Promise<ReadonlyMap<string, DeviceProfile>> {
  const own = join(dirname(file), 'profiles')
  const [shipped, added] = await Promise.all([loadProfiles(folders.profiles), existsSync(own) ? loadProfiles(own) : new Map()])
  const twice = [...added.keys()].find((name) => shipped.has(name))
  if (twice === undefined) return new Map([...shipped, ...added])
  throw new Fault('PROFILE_INVALID', `${own}: there is a profile ${twice} already`, 'give it another name, as the site’s own')
}

/** @throws Fault CONFIG_INVALID with every error that `sluice edge check` names. */
export async function readSite(file: string): Promise<EdgeSettings> {
  const result = checkConfig({ file, text: readText(file), env: process.env, profiles: await profilesBeside(file) })
  if (result.kind === 'accepted') return result.settings
  throw new Fault('CONFIG_INVALID', result.errors.join('\n'), 'correct the settings named; docs/settings.md lists them all')
}

export type BusChoice = { readonly config?: string; readonly bus?: string; readonly timeoutMs?: string }

/** A bus by its URL, or of a site's file by its name. @throws Fault BAD_REQUEST, CONFIG_INVALID */
export async function chooseBus({ config, bus, timeoutMs }: BusChoice): Promise<BusAddress> {
  const address = config === undefined ? await byUrl(bus) : await ofSite(config, bus)
  return timeoutMs === undefined ? address : { ...address, timeout_ms: wholeNumber('--timeout-ms', timeoutMs, [50, 60_000]) }
}

async function byUrl(bus: string | undefined): Promise<BusAddress> {
  if (bus !== undefined) return parseBusUrl(bus)
  throw new Fault('BAD_REQUEST', 'no bus is named', 'give --bus tcp://HOST, or a site file with --config')
}

async function ofSite(config: string, name: string | undefined): Promise<BusAddress> {
  const { buses } = await readSite(config)
  const names = buses.map((b) => b.name).join(', ')
  const chosen = name === undefined && buses.length === 1 ? buses[0] : buses.find((b) => b.name === name)
  if (!chosen) throw new Fault('BAD_REQUEST', `${config} has the buses ${names}`, 'name one with --bus')
  const { devices: _, ...address } = chosen
  return address as BusAddress
}

/** @throws Fault BAD_REQUEST */
export function wholeNumber(option: string, written: string, [least, most]: readonly [number, number]): number {
  const n = /^0x[0-9a-f]+$/i.test(written) || /^\d+$/.test(written) ? Number(written) : Number.NaN
  if (Number.isNaN(n) || n < least || n > most)
    throw new Fault('BAD_REQUEST', `${option} is ${written}`, `give a whole number from ${least} to ${most}`)
  return n
}
