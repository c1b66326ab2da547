import { type Static, Type } from 'typebox'

/** A Modbus device as data: `edge-agent/profiles/*.yaml`. The agent reads by it, the simulators serve by it. */

const closed = { additionalProperties: false } as const

export const WORD_TYPES = [
  'bit',
  'bits',
  'int16',
  'uint16',
  'sign_magnitude16',
  'bcd16',
  'int32',
  'uint32',
  'bcd32',
  'float32',
  'int64',
  'uint64',
  'float64',
  'long_float',
] as const
export type WordType = (typeof WORD_TYPES)[number]
export const WORD_ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const
export type WordOrder = (typeof WORD_ORDERS)[number]
export const SPACES = ['holding', 'input', 'coil', 'discrete'] as const
/** What a point reads: registers by FC 3 and 4, single bits by FC 1 and 2. */
export type Space = (typeof SPACES)[number]
export const isBitSpace = (space: Space): boolean => space === 'coil' || space === 'discrete'

/** @returns the registers that a value of this type takes. */
export function registersOf(type: WordType): 1 | 2 | 4 {
  switch (type) {
    case 'bit':
    case 'bits':
    case 'int16':
    case 'uint16':
    case 'sign_magnitude16':
    case 'bcd16':
      return 1
    case 'int32':
    case 'uint32':
    case 'bcd32':
    case 'float32':
      return 2
    case 'int64':
    case 'uint64':
    case 'float64':
    case 'long_float':
      return 4
  }
}

const Address = Type.Integer({ minimum: 0, maximum: 65_536, description: 'As the device’s manual counts: see address_base' })
const SpaceField = Type.Unsafe<Space>(Type.Enum([...SPACES], { default: 'holding', description: 'Read by FC 3, 4, 1, 2' }))
const Bit = Type.Integer({ minimum: 0, maximum: 15, description: 'Of a register, 0 the least' })
const ByValue = (description: string) => Type.Record(Type.String({ pattern: '^\\d+$' }), Type.Number(), { description })

/** A register that says what another one means. */
const Register = { space: SpaceField, address: Address }

const UnitRegister = Type.Object(
  {
    ...Register,
    factors: ByValue('What the value is multiplied by, for each number that the register may hold; any other makes it BAD sensor_fault'),
    offsets: Type.Optional(ByValue('Added after that')),
  },
  { ...closed, description: 'A register that holds the unit (or the multiplier) of the value' },
)
const Condition = Type.Object(
  {
    ...Register,
    bit: Type.Optional(Bit),
    is: Type.Integer({ minimum: 0, maximum: 65_535, description: 'What the bit, or the whole register, must be' }),
    otherwise: Type.Unsafe<'sensor_fault' | 'exception_busy' | 'out_of_range'>(
      Type.Enum(['sensor_fault', 'exception_busy', 'out_of_range'], {
        default: 'sensor_fault',
        description: 'Reason of the value if it is not',
      }),
    ),
  },
  { ...closed, description: 'The value counts only while this holds' },
)
const Pair = Type.Tuple([Type.Number(), Type.Number()])

const PointFields = {
  metric: Type.String({ description: 'Name in the metric catalogue; `opening` inside `leaf`' }),
  space: SpaceField,
  address: Address,
  type: Type.Unsafe<WordType>(
    Type.Enum([...WORD_TYPES], { description: 'long_float is a 32-bit integer and then its fraction as float32' }),
  ),
  bit: Type.Optional(Bit),
  bits: Type.Optional(Type.Integer({ minimum: 1, maximum: 16, description: 'With type bits: how many, from `bit` upwards' })),
  order: Type.Unsafe<WordOrder>(
    Type.Enum([...WORD_ORDERS], {
      default: 'ABCD',
      description:
        'Order of the bytes, A the most significant: CDAB has the low word first, BADC the bytes of each word exchanged, DCBA both; so for 64 bits too',
    }),
  ),
  scale: Type.Number({ default: 1, description: 'value = raw × scale + offset, in the unit of the metric catalogue' }),
  offset: Type.Number({ default: 0 }),
  units: Type.Optional(Type.Array(UnitRegister, { description: 'Registers that hold its unit; their factors multiply' })),
  calibration: Type.Optional(
    Type.Tuple([Pair, Pair], {
      description: 'Two pairs [shown, true], as at a staff gauge: the straight line through them corrects the value',
    }),
  ),
  range: Type.Optional(
    Type.Tuple([Type.Number(), Type.Number()], {
      description: 'Values that the device can give, in the unit; others are BAD out_of_range',
    }),
  ),
  missing: Type.Optional(
    Type.Array(Type.Number(), { description: 'Raw numbers by which the device says that it has no value: BAD no_value' }),
  ),
  valid_when: Type.Optional(Type.Array(Condition)),
}
const Point = Type.Object(PointFields, closed)
export type ProfilePoint = Static<typeof Point>

/** What a site may say differently of one point of a profile. */
export const PointOverride = Type.Partial(
  Type.Object(
    {
      as: Type.String({ description: 'Metric that it is at this structure' }),
      address: Address,
      type: Type.Unsafe<WordType>(Type.Enum([...WORD_TYPES])),
      bit: Bit,
      order: Type.Unsafe<WordOrder>(Type.Enum([...WORD_ORDERS])),
      scale: Type.Number(),
      offset: Type.Number(),
      calibration: Type.Tuple([Pair, Pair]),
      range: Type.Tuple([Type.Number(), Type.Number()]),
    },
    closed,
  ),
)
export type PointOverride = Static<typeof PointOverride>

const Quirks = {
  address_base: Type.Unsafe<0 | 1>(
    Type.Enum([0, 1], { default: 0, description: 'What the manual calls the first register: 0 is the address on the wire, 1 is one more' }),
  ),
  max_words: Type.Integer({ minimum: 1, maximum: 125, default: 125, description: 'Longest read that the device takes, in registers' }),
  max_gap: Type.Integer({
    minimum: 0,
    maximum: 124,
    default: 0,
    description: 'Unnamed registers that one read may pass over; 0 where the device refuses a block that holds one',
  }),
  borders: Type.Array(Address, { default: [], description: 'No read may hold both the register before such an address and the one at it' }),
  endian: Type.Optional(
    Type.Object(
      { ...Register, orders: Type.Record(Type.String({ pattern: '^\\d+$' }), Type.Unsafe<WordOrder>(Type.Enum([...WORD_ORDERS]))) },
      {
        ...closed,
        description:
          'A register that says in which order the device sends its bytes; it then holds for every value of more than one register',
      },
    ),
  ),
  busy: Type.Optional(
    Type.Object(
      {
        ...Register,
        idle: Type.Integer({ minimum: 0, maximum: 65_535, default: 0, description: 'What it holds when the values may be read' }),
        wait_ms: Type.Integer({ minimum: 10, maximum: 10_000, default: 200, description: 'Wait before it is asked again' }),
        tries: Type.Integer({ minimum: 1, maximum: 50, default: 5, description: 'So many, then the values are BAD exception_busy' }),
      },
      { ...closed, description: 'A register that must be asked before the values are read' },
    ),
  ),
}

export const DeviceProfile = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    title: Type.String({ description: 'Maker and model' }),
    source: Type.String({ description: 'Where the map comes from' }),
    notes: Type.Array(Type.String(), { default: [], description: 'What an engineer must know; shown when the profile is chosen' }),
    serial: Type.Optional(
      Type.Object(
        {
          baud_rate: Type.Integer({ minimum: 300, maximum: 921_600 }),
          parity: Type.Unsafe<'none' | 'even' | 'odd'>(Type.Enum(['none', 'even', 'odd'], { default: 'none' })),
          stop_bits: Type.Unsafe<1 | 2>(Type.Enum([1, 2], { default: 1 })),
        },
        { ...closed, description: 'As the device leaves the factory' },
      ),
    ),
    ...Quirks,
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
            closed,
          ),
        },
        { ...closed, description: 'The block that is repeated for each leaf' },
      ),
    ),
  },
  closed,
)
export type DeviceProfile = Static<typeof DeviceProfile>
