import { isBitSpace } from '#contract/profile.ts'
import type { Device } from '../modbus/device.ts'
import { bitsPerCharacter, silenceMs } from '../modbus/line/serial-line.ts'
import type { BusSettings, EdgeSettings } from '../settings.ts'
import type { Finding } from './check.ts'

/** What in a site's file is allowed and all the same most likely a slip. Pure. */

export function suspicionsOfSite(settings: EdgeSettings, devices: readonly Device[]): Finding[] {
  return [
    ...settings.buses.flatMap((bus, b) => suspicionsOfBus(bus, ['buses', String(b)])),
    ...tooFast(settings, devices),
    ...ofBroker(settings),
    ...ofOutbox(settings),
  ]
}

function suspicionsOfBus(bus: BusSettings, path: readonly string[]): Finding[] {
  const found: Finding[] = []
  for (const [d, device] of bus.devices.entries()) {
    const at = [...path, 'devices', String(d), 'unit']
    const first = bus.devices.findIndex((other) => other.unit === device.unit && other.structure !== device.structure)
    if (first >= 0 && first < d)
      found.push({
        path: at,
        text: `unit ${device.unit} is also that of ${bus.devices[first]?.structure}: two structures behind one unit is rare`,
      })
    if (device.unit === 0 && bus.transport !== 'tcp')
      found.push({ path: at, text: 'unit 0 is the broadcast address of a serial line: no device answers to it' })
    if (device.unit > 247 && bus.transport !== 'tcp')
      found.push({ path: at, text: `unit ${device.unit} is reserved on a serial line; addresses end at 247` })
  }
  if (bus.transport === 'dtu' && bus.registration === undefined && bus.listen_host !== '127.0.0.1')
    found.push({ path: [...path, 'listen_port'], text: 'whoever dials this port is taken for the DTU: give its registration' })
  if (bus.transport === 'serial' && !bus.path.startsWith('/dev/serial/'))
    found.push({
      path: [...path, 'path'],
      text: `${bus.path} may be another port after a reboot: name it by /dev/serial/by-id/… where there is one`,
    })
  return found
}

/** What one request costs beside its bytes, in ms: a device's own time, or a mobile link's round trip (domain figures: 300 to 1000 ms). */
const TURN_MS = { serial: 20, tcp: 10, 'rtu-over-tcp': 50, dtu: 800 } as const

/** How long one cycle of the bus takes when every device answers, in ms: a lower estimate. */
export function cycleMs(bus: BusSettings, devices: readonly Device[]): number {
  const reads = devices.flatMap((d) => d.blocks)
  return reads.reduce((sum, read) => {
    const bytes = 8 + 5 + (isBitSpace(read.space) ? Math.ceil(read.words / 8) : 2 * read.words)
    const wire = bus.transport === 'serial' ? (bytes * bitsPerCharacter(bus) * 1000) / bus.baud_rate + 2 * silenceMs(bus) : 0
    return sum + wire + TURN_MS[bus.transport] + bus.pause_ms
  }, 0)
}

function tooFast(settings: EdgeSettings, devices: readonly Device[]): Finding[] {
  const every = settings.poll.interval_ms
  return settings.buses.flatMap((bus, b) => {
    const own = devices.filter((d) => bus.devices.some((s) => s.structure === d.structure && s.unit === d.unit))
    const least = cycleMs(bus, own)
    if (least > every) {
      const text = `bus ${bus.name} needs about ${Math.round(least)} ms for one cycle, and is to be read every ${every} ms: cycles will be missed`
      return [{ path: ['poll', 'interval_ms'], text }]
    }
    if (bus.timeout_ms > every) {
      const text = `one silent device holds bus ${bus.name} for ${bus.timeout_ms} ms, longer than the interval of ${every} ms`
      return [{ path: ['buses', String(b), 'timeout_ms'], text }]
    }
    return []
  })
}

const PRIVATE = /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|localhost$|\[?::1)/

function ofBroker({ broker }: EdgeSettings): Finding[] {
  const found: Finding[] = []
  const url = URL.canParse(broker.url) ? new URL(broker.url) : undefined
  if (url && (url.protocol === 'mqtt:' || url.protocol === 'ws:') && !PRIVATE.test(url.hostname))
    found.push({
      path: ['broker', 'url'],
      text: `${url.hostname} is not a private address, and ${url.protocol.slice(0, -1)} sends everything in the clear: use mqtts`,
    })
  if (url && url.password !== '') found.push({ path: ['broker', 'url'], text: 'it holds a password: give it by SLUICE_MQTT_PASSWORD' })
  return found
}

function ofOutbox({ outbox }: EdgeSettings): Finding[] {
  if (/^\/(tmp|run|dev\/shm|var\/tmp)\//.test(outbox.path))
    return [{ path: ['outbox', 'path'], text: `${outbox.path} does not survive a reboot, and the readings in it neither` }]
  return outbox.path.startsWith('/')
    ? []
    : [{ path: ['outbox', 'path'], text: 'a relative folder depends on where the agent is started: write it from / on' }]
}
