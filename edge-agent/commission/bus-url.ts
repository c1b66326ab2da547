import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { parseConfig } from '#contract/config.ts'
import { Fault } from '#contract/fault.ts'
import { Bus } from '../bus-settings.ts'
import type { BusAddress } from '../modbus/bus.ts'
import type { BusSettings } from '../settings.ts'

/** A bus in one word, for a hand tool: `tcp://192.168.1.10`, `serial:///dev/ttyUSB0?baud_rate=9600&parity=even`. */

const FORMS =
  'tcp://HOST[:PORT], rtu-over-tcp://HOST:PORT, serial:///dev/ttyUSB0?baud_rate=9600&parity=none&stop_bits=1 or dtu://ADDRESS:PORT'
/** A bus without devices is no site's; this one stands in and is taken out again. */
const NOBODY = { structure: 'nobody', unit: 1, profile: 'none', leaves: 1 }

/** @throws Fault BAD_REQUEST */
export function parseBusUrl(text: string): BusAddress {
  const { devices: _, ...address } = parseBus(text)
  return address as BusAddress
}

function parseBus(text: string): BusSettings {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) throw new Fault('BAD_REQUEST', `${text} is no bus`, `write ${FORMS}`)
  const options = Object.fromEntries([...url.searchParams].map(([k, v]) => [k, /^\d+$/.test(v) ? Number(v) : v]))
  const port = url.port === '' ? {} : { port: Number(url.port) }
  const place: Record<string, Record<string, unknown>> = {
    tcp: { host: hostOf(url), ...port },
    'rtu-over-tcp': { host: hostOf(url), ...port },
    serial: { path: decodeURIComponent(url.pathname) },
    dtu: { listen_host: hostOf(url), listen_port: Number(url.port) },
  }
  const transport = url.protocol.slice(0, -1)
  const at = place[transport]
  if (!at) throw new Fault('BAD_REQUEST', `${text}: there is no transport ${transport}`, `write ${FORMS}`)
  const buses = [{ name: 'bus', transport, ...at, ...options, devices: [NOBODY] }]
  const source = { file: text, text: JSON.stringify({ buses }), code: 'BAD_REQUEST' as const }
  try {
    const [bus] = parseConfig(Type.Object({ buses: Type.Array(Bus) }), source).buses
    return Value.Parse(Bus, bus)
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause
    throw new Fault('BAD_REQUEST', cause.message.replaceAll(/:\d+:\d+: buses\.0\./g, ': '), `write ${FORMS}`, { cause })
  }
}

// A scheme that the URL standard does not know keeps an IPv6 address in its brackets.
const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1')

/** The same bus as its URL, without what is the default. */
export function busUrl(bus: BusAddress): string {
  switch (bus.transport) {
    case 'tcp':
    case 'rtu-over-tcp':
      return `${bus.transport}://${bus.host}:${bus.port}`
    case 'serial':
      return `serial://${bus.path}?baud_rate=${bus.baud_rate}&parity=${bus.parity}&stop_bits=${bus.stop_bits}`
    case 'dtu':
      return `dtu://${bus.listen_host}:${bus.listen_port}`
  }
}
