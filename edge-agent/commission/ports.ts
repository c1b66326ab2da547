import { readdir, readlink } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { systemCode } from '#contract/fault.ts'

/** The serial ports of this machine, each with the name that stays the same after a reboot. */

export type Port = {
  readonly path: string
  /** `/dev/serial/by-id/…`, where the system made one: what a configuration should name. */
  readonly stable: string | null
  readonly maker: string | null
  readonly usb: string | null
  readonly serial_number: string | null
}

const BY_ID = '/dev/serial/by-id'

export async function listPorts(): Promise<Port[]> {
  const stable = await stableNames()
  const known = await askSystem()
  const ports = known.map((p) => ({
    path: p.path,
    stable: stable.get(p.path) ?? null,
    maker: p.manufacturer ?? null,
    usb: p.vendorId && p.productId ? `${p.vendorId}:${p.productId}` : null,
    serial_number: p.serialNumber ?? null,
  }))
  // A PC offers ttyS0 to ttyS31 whether or not there is a chip behind them: what is known of comes first.
  return ports.toSorted((a, b) => Number(b.usb !== null) - Number(a.usb !== null) || a.path.localeCompare(b.path, 'en', { numeric: true }))
}

type Known = {
  readonly path: string
  readonly manufacturer?: string
  readonly vendorId?: string
  readonly productId?: string
  readonly serialNumber?: string
}

async function askSystem(): Promise<readonly Known[]> {
  // The native binding is loaded by this command alone.
  const { SerialPort } = await import('serialport')
  try {
    return (await SerialPort.list()) as readonly Known[]
  } catch (error) {
    // It asks udevadm, which a small gateway does not always have: then the names are all that is known.
    if (systemCode(error) !== 'ENOENT') throw error
    return (await namesIn('/dev')).filter((name) => SERIAL.test(name)).map((name) => ({ path: `/dev/${name}` }))
  }
}
const SERIAL = /^tty(S|USB|ACM|AMA|O|THS|mxc|XRUSB|SC|LP|PS)\d+$/

async function stableNames(): Promise<Map<string, string>> {
  const links = await namesIn(BY_ID)
  return new Map(
    await Promise.all(
      links.map(async (l): Promise<[string, string]> => [resolve(BY_ID, await readlink(join(BY_ID, l))), join(BY_ID, basename(l))]),
    ),
  )
}

/** A folder that is not there holds nothing: a container may have no /dev at all. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
