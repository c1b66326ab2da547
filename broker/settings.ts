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
  },
  { additionalProperties: false, default: {} },
)
export type BrokerSettings = Static<typeof BrokerSettings>
