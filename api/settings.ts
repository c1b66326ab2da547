import { type Static, Type } from 'typebox'
import { MapLayer } from '#contract/http/map.ts'
import { CalendarSettings } from '#contract/periods.ts'

export const HttpSettings = Type.Object(
  {
    host: Type.String({
      default: '127.0.0.1',
      minLength: 1,
      env: 'SLUICE_HTTP_HOST',
      description: 'Address that the web server listens on',
    }),
    port: Type.Integer({
      default: 8080,
      minimum: 0,
      maximum: 65_535,
      env: 'SLUICE_HTTP_PORT',
      description: 'TCP port of the web server; 0 takes a free one',
    }),
    trust_proxy: Type.Array(Type.String(), {
      default: [],
      description:
        'Addresses or networks (CIDR) of reverse proxies whose X-Forwarded-For, -Proto and -Host are believed; empty believes none',
    }),
    metrics: Type.Unsafe<'loopback' | 'everyone' | 'nobody'>(
      Type.Enum(['loopback', 'everyone', 'nobody'], {
        default: 'loopback',
        description:
          'Who may read /metrics without a sign-in. loopback: only programs of this machine, and only where the server listens on loopback',
      }),
    ),
  },
  { additionalProperties: false, default: {} },
)

export const SessionSettings = Type.Object(
  {
    ttl_h: Type.Number({ default: 12, exclusiveMinimum: 0, maximum: 720, description: 'Hours after which a person signs in again' }),
    cookie_secure: Type.Unsafe<'auto' | 'always' | 'never'>(
      Type.Enum(['auto', 'always', 'never'], {
        default: 'auto',
        description: 'The cookie’s Secure flag. auto: set when the request came by https (see http.trust_proxy)',
      }),
    ),
    recheck_ms: Type.Integer({
      default: 30_000,
      minimum: 100,
      description: 'How often the sessions behind open live connections are looked up again, in ms',
    }),
  },
  { additionalProperties: false, default: {} },
)

export const SignInSettings = Type.Object(
  {
    max_failures: Type.Integer({ default: 5, minimum: 1, description: 'Failed sign-ins in a row that lock a person out' }),
    lockout_min: Type.Number({ default: 15, exclusiveMinimum: 0, description: 'How long a person stays locked out, in minutes' }),
    tries_per_minute: Type.Integer({ default: 20, minimum: 1, description: 'Most sign-in requests from one address in a minute' }),
  },
  { additionalProperties: false, default: {} },
)

export const VolumeSettings = Type.Object(
  {
    longest_bridged_min: Type.Integer({
      default: 60,
      minimum: 60,
      description:
        'Longest gap in minutes that a straight line may bridge in a volume; a longer one is missing. Beyond 60 a year takes longer to reckon',
    }),
    flow_uncertainty: Type.Number({
      default: 0.05,
      minimum: 0,
      maximum: 1,
      description: 'Half-width of a flow as a share of it, at the confidence that volumes are stated with',
    }),
    calendar: CalendarSettings,
  },
  { additionalProperties: false, default: {} },
)

export const ControlSettings = Type.Object(
  {
    key_file: Type.Optional(
      Type.String({
        minLength: 1,
        env: 'SLUICE_SIGNING_KEY_FILE',
        description: 'PEM file of the Ed25519 key that signs commands; without it nothing is commanded',
      }),
    ),
    selection_s: Type.Number({
      default: 120,
      exclusiveMinimum: 0,
      description: 'How long a selection, or one that waits for a second person, may be confirmed, in s',
    }),
    command_ttl_s: Type.Number({
      default: 30,
      exclusiveMinimum: 0,
      description: 'How long after its confirmation a command may be begun, in s',
    }),
    second_person: Type.Unsafe<'main_regulators' | 'nobody'>(
      Type.Enum(['main_regulators', 'nobody'], {
        default: 'main_regulators',
        description: 'Which structures another person must approve: check structures of canals that no other feeds, or none',
      }),
    ),
    second_factor: Type.Unsafe<'required' | 'optional'>(
      Type.Enum(['required', 'optional'], {
        default: 'required',
        description: 'Whether only who signs in with a second factor may command',
      }),
    ),
  },
  { additionalProperties: false, default: {} },
)

export const MapSettings = Type.Object(
  {
    layers: Type.Array(MapLayer, {
      default: [],
      description:
        'Pictures behind the map, from the lowest to the highest; none: the district’s own drawing alone, which needs no internet',
    }),
  },
  { additionalProperties: false, default: {} },
)

export const ApiSettings = Type.Object(
  {
    control: ControlSettings,
    http: HttpSettings,
    map: MapSettings,
    session: SessionSettings,
    sign_in: SignInSettings,
    volumes: VolumeSettings,
  },
  { additionalProperties: false, default: {} },
)
export type ApiSettings = Static<typeof ApiSettings>
