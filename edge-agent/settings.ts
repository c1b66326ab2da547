import { type Static, Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { ID_PATTERN } from '#contract/topics.ts'
import { Bus, mistakesInBuses } from './bus-settings.ts'
import { SiteControl } from './command/settings.ts'
import { mistakesInPage, PageSettings } from './page/settings.ts'
import { mistakesInReport, Report } from './report/settings.ts'

const closed = { additionalProperties: false } as const
const Id = (description: string) => Type.String({ pattern: ID_PATTERN, description })

export type { BusSettings, DeviceSettings } from './bus-settings.ts'

const Broker = Type.Object(
  {
    url: Type.String({ pattern: '^(mqtt|mqtts|ws|wss)://', description: 'MQTT broker, mqtt:// or mqtts://' }),
    username: Type.Optional(Type.String({ description: 'MQTT user' })),
    password: Type.Optional(Type.String({ env: 'SLUICE_MQTT_PASSWORD', description: 'MQTT password; rather by SLUICE_MQTT_PASSWORD' })),
    client_id: Type.Optional(Type.String({ minLength: 1, description: 'MQTT client id; made of area and site where it is left out' })),
    keepalive_s: Type.Integer({
      minimum: 5,
      maximum: 3600,
      default: 120,
      description: 'MQTT keep-alive, in s; 120 or more over a mobile link',
    }),
    silence_ms: Type.Integer({
      minimum: 1000,
      default: 90_000,
      description: 'A connection over which something was sent and nothing heard for so long is given up and made anew, in ms',
    }),
  },
  closed,
)
export type BrokerSettings = Static<typeof Broker>

const Outbox = Type.Object(
  {
    path: Type.String({ minLength: 1, description: 'Folder on a disk that survives a power cut; it belongs to one agent' }),
    max_bytes: Type.Integer({
      minimum: 1_048_576,
      default: 268_435_456,
      description:
        'Size beyond which the oldest readings are dropped, counted and told, in bytes; the default holds months of a site of four structures',
    }),
    max_age_h: Type.Integer({
      minimum: 1,
      default: 2160,
      description: 'Age beyond which readings are dropped, counted and told, in hours; the default is 90 days',
    }),
  },
  closed,
)

const Uplink = Type.Object(
  {
    window: Type.Integer({ minimum: 1, maximum: 64, default: 4, description: 'Most batches that wait for their receipt' }),
    receipts: Type.Enum(['required', 'none'], {
      default: 'required',
      description:
        'required: a batch is deleted on its receipt alone. none: for hosts that send no receipts; a batch is deleted when it is published, and what the link loses is lost',
    }),
    retry_first_ms: Type.Integer({
      minimum: 100,
      default: 10_000,
      description: 'Wait for a receipt before a batch is sent again, in ms; it doubles each time',
    }),
    retry_max_ms: Type.Integer({ minimum: 100, default: 120_000, description: 'Longest wait before a batch is sent again, in ms' }),
    latency_ms: Type.Integer({
      minimum: 0,
      default: 250,
      description:
        'How long a reading may wait for company, in ms: what goes together shares a packet. Shorter than the poll interval, it ends with the cycle. A change of quality or of a switch does not wait',
    }),
    plan_mb: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          'What the data plan of a month allows, in MB of 1,000,000 bytes. Before it would be spent the agent slows down in steps: longer silences, more company, wider deadbands',
      }),
    ),
    deflate: Type.Enum(['never', 'agreed'], {
      default: 'never',
      description: 'agreed: data are deflated once the center has said that it inflates; never where other Sparkplug hosts listen too',
    }),
    health_interval_ms: Type.Integer({
      minimum: 1000,
      default: 300_000,
      description: 'Least time between two reports of the agent’s own health, in ms; what can’t wait is told within 10 s',
    }),
  },
  { ...closed, default: {} },
)
export type UplinkSettings = Static<typeof Uplink>

export const EdgeSettings = Type.Object(
  {
    site: Id('Id of the site; it is the Sparkplug edge node id'),
    area: Id('Id of the area; it is the Sparkplug group id'),
    broker: Broker,
    outbox: Outbox,
    poll: Type.Object(
      {
        interval_ms: Type.Integer({
          minimum: 100,
          default: 5000,
          description: 'Each device is read once in this time, on the clock, in ms',
        }),
        fast_interval_ms: Type.Integer({
          minimum: 100,
          default: 1000,
          description: 'The same while a leaf on the bus moves, or a level is near an alarm limit (report.limits)',
        }),
      },
      { ...closed, default: {} },
    ),
    report: Report,
    uplink: Uplink,
    page: Type.Optional(PageSettings),
    control: Type.Optional(SiteControl),
    buses: Type.Array(Bus, { minItems: 1, description: 'Read at the same time as one another' }),
    journal: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'File that gets a line of JSON for each confirmed append and each missed cycle, for audits; it grows without limit',
      }),
    ),
  },
  { ...closed, description: 'Settings of one edge agent' },
)
export type EdgeSettings = Static<typeof EdgeSettings>

const { outbox, poll, report, uplink, buses } = EdgeSettings.properties
/** What the center may change of it. The rest, credentials, keys, folders and who the site is, is the site's own. */
export const CenterPart = Type.Object(
  {
    broker: Type.Object(
      { keepalive_s: Broker.properties.keepalive_s, silence_ms: Broker.properties.silence_ms },
      { ...closed, default: {} },
    ),
    outbox: Type.Object({ max_bytes: outbox.properties.max_bytes, max_age_h: outbox.properties.max_age_h }, { ...closed, default: {} }),
    poll,
    report,
    uplink: Type.Omit(uplink, ['receipts'], { ...closed, default: {} }),
    buses,
  },
  { ...closed, description: 'The part of a site’s settings that the center may change' },
)
export type CenterPart = Static<typeof CenterPart>

/** What the schema can't say. @throws Fault CONFIG_INVALID that names each mistake. */
export function checkEdgeSettings(settings: EdgeSettings): void {
  const structures = settings.buses.flatMap((b) => b.devices.map((d) => d.structure))
  const mistakes = [...mistakesInBuses(settings.buses), ...mistakesInReport(settings.report, structures), ...mistakesInPage(settings.page)]
  if (settings.uplink.retry_max_ms < settings.uplink.retry_first_ms) mistakes.push('uplink.retry_max_ms is less than uplink.retry_first_ms')
  if (mistakes.length > 0) {
    throw new Fault(
      'CONFIG_INVALID',
      `site ${settings.site}: ${mistakes.join('; ')}`,
      'correct the settings named; docs/settings.md lists them all',
    )
  }
}
