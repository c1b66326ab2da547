import { type Static, Type } from 'typebox'

export const BrokerSettings = Type.Object(
  {
    host: Type.String({ default: '127.0.0.1', env: 'SLUICE_MQTT_HOST', description: 'Address that the embedded broker listens on' }),
    port: Type.Integer({
      default: 1884,
      minimum: 0,
      maximum: 65_535,
      env: 'SLUICE_MQTT_PORT',
      description: 'TCP port of the embedded broker; 0 takes a free one',
    }),
    accounts_file: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'accounts.json of `npx sluice access files`: who may sign in, and for what. Without it everyone may do everything',
      }),
    ),
  },
  { additionalProperties: false, default: {} },
)
export type BrokerSettings = Static<typeof BrokerSettings>
