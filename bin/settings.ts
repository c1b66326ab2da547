import { type Static, Type } from 'typebox'
import { ApiSettings } from '#api/settings.ts'
import { BrokerSettings } from '#broker/settings.ts'
import { RetentionSettings } from '#history/retention.ts'
import { IngestSettings } from '#ingest/settings.ts'
import { NotifySettings } from '#notify/settings.ts'

export const LogSettings = Type.Object(
  {
    level: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'], {
      default: 'info',
      env: 'SLUICE_LOG_LEVEL',
      description: 'Least severe line that is written',
    }),
  },
  { additionalProperties: false, default: {} },
)

/** One file for the services of a center: `sluice broker|ingest|api --config sluice.yaml`. */
export const ServiceSettings = Type.Object(
  {
    log: LogSettings,
    mqtt: Type.Object(
      {
        url: Type.String({
          default: 'mqtt://127.0.0.1:1883',
          env: 'SLUICE_MQTT_URL',
          description: 'Broker: mqtt://HOST:PORT or mqtts://HOST:PORT',
        }),
        username: Type.Optional(Type.String({ env: 'SLUICE_MQTT_USERNAME', description: 'Name to sign in to the broker with' })),
        password: Type.Optional(Type.String({ env: 'SLUICE_MQTT_PASSWORD', description: 'Its password; better given by the environment' })),
      },
      { additionalProperties: false, default: {} },
    ),
    history: Type.Object(
      {
        url: Type.String({
          default: 'influx1://127.0.0.1:8086/sluice',
          env: 'SLUICE_HISTORY_URL',
          description:
            'duckdb:PATH, influx1://[USER:PASSWORD@]HOST:PORT/DATABASE, influx2://:TOKEN@HOST:PORT/BUCKET?org=ORG or influx3://:TOKEN@HOST:PORT/DATABASE',
        }),
        retention: RetentionSettings,
      },
      { additionalProperties: false, default: {} },
    ),
    registry: Type.Object(
      {
        url: Type.String({
          default: 'postgres://sluice@127.0.0.1:5432/sluice',
          env: 'SLUICE_REGISTRY_URL',
          description: 'postgres://USER[:PASSWORD]@HOST:PORT/DATABASE or pglite:PATH',
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    broker: BrokerSettings,
    ingest: IngestSettings,
    api: ApiSettings,
    notify: NotifySettings,
  },
  { additionalProperties: false },
)
export type ServiceSettings = Static<typeof ServiceSettings>

export const DemoSettings = Type.Object(
  {
    data: Type.String({ default: './data', env: 'SLUICE_DATA', description: 'Folder of everything that the demo keeps' }),
    http_port: Type.Integer({
      default: 8080,
      minimum: 0,
      maximum: 65_535,
      env: 'SLUICE_HTTP_PORT',
      description: 'Port of the dashboard and the API, on 127.0.0.1',
    }),
    mqtt_port: Type.Integer({
      default: 1884,
      minimum: 0,
      maximum: 65_535,
      env: 'SLUICE_MQTT_PORT',
      description: 'Port of the embedded broker, on 127.0.0.1',
    }),
    password: Type.Optional(
      Type.String({ minLength: 8, env: 'SLUICE_DEMO_PASSWORD', description: 'Password of user demo; otherwise one is made at each start' }),
    ),
    poll_ms: Type.Integer({
      default: 5000,
      minimum: 100,
      env: 'SLUICE_DEMO_POLL_MS',
      description: 'How often the simulated sites are read, in ms',
    }),
    seed: Type.Integer({ default: 1, env: 'SLUICE_DEMO_SEED', description: 'Seed of the simulated district' }),
    past_days: Type.Integer({
      default: 60,
      minimum: 0,
      maximum: 400,
      env: 'SLUICE_DEMO_PAST_DAYS',
      description: 'Days of simulated history that the first start puts into an empty data folder; 0 for none',
    }),
    log: LogSettings,
  },
  { additionalProperties: false },
)
export type DemoSettings = Static<typeof DemoSettings>
