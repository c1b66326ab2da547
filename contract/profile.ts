import { type Static, Type } from 'typebox'

/** A Modbus device as data: `edge-agent/profiles/*.yaml`. The agent reads by it, the simulators serve by it. */

const Address = Type.Integer({ minimum: 0, maximum: 65535, description: 'Protocol address (0-based, as in the PDU)' })

export const WORD_TYPES = ['bit', 'int16', 'uint16', 'int32', 'uint32', 'float32'] as const
export type WordType = (typeof WORD_TYPES)[number]
export const WORD_ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const
export type WordOrder = (typeof WORD_ORDERS)[number]

const PointFields = {
  metric: Type.String({ description: 'Name in the metric catalogue; `opening` inside `leaf`' }),
  space: Type.Enum(['holding', 'input', 'coil', 'discrete'], { default: 'holding', description: 'Read by FC 3, 4, 1, 2' }),
  address: Address,
  type: Type.Unsafe<WordType>(Type.Enum([...WORD_TYPES])),
  bit: Type.Optional(Type.Integer({ minimum: 0, maximum: 15, description: 'With type bit in a register: which bit, 0 the least' })),
  order: Type.Unsafe<WordOrder>(Type.Enum([...WORD_ORDERS], { default: 'ABCD', description: 'Byte order of 32-bit values on the wire' })),
  scale: Type.Number({ default: 1, description: 'value = raw × scale + offset, in the unit of the metric catalogue' }),
  offset: Type.Number({ default: 0 }),
}
const Point = Type.Object(PointFields, { additionalProperties: false })
export type ProfilePoint = Static<typeof Point>

export const DeviceProfile = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    title: Type.String({ description: 'Maker and model' }),
    source: Type.String({ description: 'Where the map comes from' }),
    max_words: Type.Integer({ minimum: 1, maximum: 125, default: 125, description: 'Longest read that the device takes, in registers' }),
    points: Type.Array(Point, { description: 'Read once for the structure' }),
    leaf: Type.Optional(
      Type.Object(
        {
          first_address: Address,
          stride: Type.Integer({ minimum: 1, description: 'Registers from one leaf to the next' }),
          points: Type.Array(Point, { description: 'Addresses relative to the leaf’s first register' }),
          command: Type.Object(
            {
              setpoint_mm: Type.Integer({ description: 'Relative address of the wanted opening, mm, uint16' }),
              command: Type.Integer({ description: 'Relative address: 1 open, 2 close, 3 stop, 4 go to set-point' }),
              sequence: Type.Integer({ description: 'Relative address of the sequence number; a command is taken when it changes' }),
            },
            { additionalProperties: false },
          ),
        },
        { additionalProperties: false, description: 'The block that is repeated for each leaf' },
      ),
    ),
  },
  { additionalProperties: false },
)
export type DeviceProfile = Static<typeof DeviceProfile>
