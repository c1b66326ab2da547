import { stringify } from 'yaml'
import type { SiteKeys } from '../command/settings.ts'
import type { BusAddress } from '../modbus/bus.ts'

/** A site's file as `sluice edge init` writes it: what was chosen, and beside it what a field engineer asks next. Pure. */

export type Choices = {
  readonly site: string
  readonly area: string
  readonly broker: string
  readonly outbox: string
  readonly interval_ms: number
  readonly bus: BusAddress
  readonly devices: readonly { readonly structure: string; readonly unit: number; readonly profile: string; readonly leaves: number }[]
  readonly keys?: SiteKeys
}

const inline = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()

export function configText({ site, area, broker, outbox, interval_ms, bus, devices, keys }: Choices): string {
  return `# Site ${site}. docs/settings.md lists everything that may stand here.
# After a change: sluice edge check -c THIS_FILE
site: ${inline(site)} # as registered in the center
area: ${inline(area)} # its area (Sparkplug group)

broker:
  url: ${inline(broker)} # mqtts:// over a public network
${credentials(site, keys)}
  # keepalive_s: 120 # 120 or more over a mobile link

outbox:
  # On a disk that survives a power cut. It belongs to this agent alone.
  path: ${inline(outbox)}

poll:
  interval_ms: ${interval_ms} # each device is read once in this time

buses:
${busText(bus)}
    devices:
${devices.map((d) => `      - ${inline(d)}`).join('\n')}
${keys ? controlText(keys) : ''}`
}

const credentials = (site: string, keys: SiteKeys | undefined): string =>
  keys
    ? `  username: ${inline(keys.broker.username)}\n  password: ${inline(keys.broker.password)}`
    : `  # username: ${site}\n  # The password belongs into the environment: SLUICE_MQTT_PASSWORD`

const controlText = ({ control }: SiteKeys): string => `
control: # whom the site believes, and its own secret: docs/provisioning.md
  command_keys: ${inline(control.command_keys)}
  site_key: ${inline(control.site_key)}
  state: ${inline(control.state)} # counters, tags and modes, kept over a restart
`

function busText(bus: BusAddress): string {
  const { name, ...rest } = bus
  const lines = [
    `  - name: ${inline(name)}`,
    ...Object.entries(rest).map(([key, value]) => `    ${key}: ${inline(value)}${COMMENTS[key] ?? ''}`),
  ]
  return lines.join('\n')
}

const COMMENTS: Readonly<Record<string, string>> = {
  timeout_ms: ' # longest wait for one reply; 5000 or more behind a mobile link',
  pause_ms: ' # least time between a reply and the next request',
  late_ms: ' # how much later an answer may still come',
  parity: ' # as on the plate or in the manual of the sensor',
  path: ' # rather /dev/serial/by-id/…: sluice edge ports',
}
