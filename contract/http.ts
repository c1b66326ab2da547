/** What the API and the dashboard (or any other client) agree on: bodies of `/api/v1`, and the socket's messages. */
import { type Static, Type } from 'typebox'
import type { AlarmMessage } from './alarm.ts'
import { Area, Canal, Structure } from './district.ts'
import type { CommandMessage } from './http/command.ts'
import { LiveState } from './live.ts'
import { ROLES } from './may.ts'

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Fault code, see docs/faults.md' }),
    detail: Type.String({ description: 'What happened' }),
    next: Type.String({ description: 'What to do' }),
    instance: Type.Optional(Type.String()),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details' },
)
export type Problem = Static<typeof Problem>

export const PageQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 200 }),
  offset: Type.Integer({ minimum: 0, default: 0 }),
})
export const paged = <T extends Parameters<typeof Type.Array>[0]>(item: T) =>
  Type.Object({ items: Type.Array(item), total: Type.Integer(), limit: Type.Integer(), offset: Type.Integer() })

const RoleName = Type.Enum([...ROLES])
export const Grant = Type.Object({
  role: RoleName,
  // Null first: the other way round a null in a request is made an empty text of.
  area: Type.Union([Type.Null(), Type.String()], { description: 'null: the whole district' }),
})
export const SignIn = Type.Object(
  {
    login: Type.String({ minLength: 1, maxLength: 100 }),
    password: Type.String({ minLength: 1, maxLength: 200 }),
    code: Type.Optional(
      Type.String({
        minLength: 6,
        maxLength: 40,
        description: 'Six digits of the authenticator app, or a recovery code; asked by CODE_NEEDED',
      }),
    ),
  },
  { additionalProperties: false },
)
export const SessionInfo = Type.Object({
  login: Type.String(),
  name: Type.String(),
  grants: Type.Array(Grant),
  expires_at: Type.Number(),
  must_change_password: Type.Boolean({ description: 'Nothing else can be done before' }),
})
export type SessionInfo = Static<typeof SessionInfo>

/** A gate structure with its last state; `state` is null before anything has been received. */
export const Gate = Type.Object({
  ...Structure.properties,
  stale_after_ms: Type.Integer({ description: 'A value older than this is STALE' }),
  state: Type.Union([LiveState, Type.Null()]),
})
export type Gate = Static<typeof Gate>
export const GateList = paged(Gate)
export type GateList = Static<typeof GateList>
export const AreaList = paged(Area)
export type AreaList = Static<typeof AreaList>
export const CanalList = paged(Canal)

const Column = Type.Array(Type.Union([Type.Number(), Type.Null()]))
export const Series = Type.Object({ min: Column, max: Column, mean: Column, bad: Type.Array(Type.Integer()) })
export type Series = Static<typeof Series>
export const HistoryQuery = Type.Object({
  metrics: Type.String({ minLength: 1, description: 'Names from the metric catalogue, separated by commas' }),
  from: Type.Integer({ description: 'ms since 1970 UTC, inclusive' }),
  to: Type.Integer({ description: 'ms since 1970 UTC, exclusive' }),
  points: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 1000,
    description: 'The most buckets wanted, as many as the chart has pixels',
  }),
})
/** `{bucket_ms, t: [], level_up: {min, max, mean, bad}, …}` */
export const HistoryReply = Type.Object(
  { bucket_ms: Type.Integer({ description: '0 when each t is a sample of its own' }), t: Type.Array(Type.Number()) },
  { additionalProperties: Series },
)
export type HistoryReply = { bucket_ms: number; t: number[] } & { [metric: string]: Series | number | number[] }

export const DeadLetterRow = Type.Object({
  id: Type.Integer(),
  group: Type.String(),
  node: Type.String(),
  device: Type.Union([Type.String(), Type.Null()]),
  metric: Type.Union([Type.String(), Type.Null()]),
  reason: Type.String(),
  payload: Type.String({ description: 'The newest payload, base64' }),
  count: Type.Integer(),
  first_at: Type.Number(),
  last_at: Type.Number(),
  replay: Type.Union([
    Type.Null(),
    Type.Object({
      state: Type.Union([Type.Literal('asked'), Type.Literal('done'), Type.Literal('refused')]),
      by: Type.String(),
      at: Type.Number(),
      samples: Type.Integer({ description: 'How many went to history, derived flows included' }),
      note: Type.String({ description: 'What could not be taken, and why' }),
    }),
  ]),
})
export type DeadLetterRow = Static<typeof DeadLetterRow>
export const DeadLetterList = paged(DeadLetterRow)
/** Who sent them: all of its letters that are not in history are taken again. */
export const DeadLetterSource = Type.Object(
  {
    group: Type.String({ maxLength: 256 }),
    node: Type.String({ maxLength: 256 }),
    device: Type.Union([Type.String({ maxLength: 256 }), Type.Null()]),
  },
  { additionalProperties: false },
)
export type DeadLetterSource = Static<typeof DeadLetterSource>
export const ReplayAsked = Type.Object({ asked: Type.Integer({ description: 'How many letters ingest will take again' }) })
export type ReplayAsked = Static<typeof ReplayAsked>
export type DeadLetterList = Static<typeof DeadLetterList>

/** Socket.io: client → server. Nothing given watches every gate that the person may see. */
export const Watch = Type.Object(
  {
    gates: Type.Optional(Type.Array(Type.String(), { maxItems: 10_000 })),
    areas: Type.Optional(Type.Array(Type.String(), { maxItems: 1000 })),
    packed: Type.Optional(Type.Boolean({ description: 'Answer with `packed` in place of `state` and `alarm`: JSON, deflated (RFC 1950)' })),
  },
  { additionalProperties: false },
)
export type Watch = Static<typeof Watch>

/** Socket.io: server → client, at most two `state` a second. `at` is the server's clock, for ages. */
export type StateMessage = { at: number; full: boolean; gates: LiveState[] }
/** A `state` or an `alarm` that is written and compressed once for everyone who watches the same. */
export type PackedMessage = { kind: 'state' | 'alarm'; at: number; full: boolean; bytes: Uint8Array<ArrayBufferLike> }
export type ServerToClient = {
  packed: (message: PackedMessage) => void
  state: (message: StateMessage) => void
  alarm: (message: AlarmMessage) => void
  command: (message: CommandMessage) => void
}
export type ClientToServer = { watch: (watch: Watch, ack?: (reply: { ok: true } | { ok: false; detail: string }) => void) => void }
