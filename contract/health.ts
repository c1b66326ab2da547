/** What a site's agent says of itself: node-level Sparkplug metrics, and the live topic that ingest makes of them. */
import { type Static, Type } from 'typebox'
import { isBadReason } from './reading.ts'
import type { Datatype, SparkplugMetric } from './sparkplug/payload.ts'

export type HealthDatatype = Extract<Datatype, 'UInt32' | 'UInt64' | 'Int64' | 'Int32' | 'Float' | 'DateTime' | 'String'>
type Entry = {
  /** Sparkplug alias, for ever: below 128 it is one byte, and those of the outbox begin at 128. Add at the end, never reuse. */
  readonly alias: number
  readonly datatype: HealthDatatype
  readonly unit: string
  readonly label: { readonly zh: string; readonly en: string }
}

/** The clock of a site. Its code on the wire is its place: add at the end. */
export const CLOCK_STATES = ['known', 'unknown', 'stepped'] as const
export type ClockState = (typeof CLOCK_STATES)[number]

const entry = (alias: number, datatype: HealthDatatype, unit: string, zh: string, en: string): Entry => ({
  alias,
  datatype,
  unit,
  label: { zh, en },
})

/** Figures of a site's health, by name; on the wire `Health/<name>`. */
export const HEALTH_NUMBERS = {
  outbox_bytes: entry(1, 'UInt64', 'B', '发件箱占用', 'Outbox size'),
  outbox_readings: entry(2, 'UInt32', '', '发件箱待发读数', 'Readings in the outbox'),
  outbox_oldest_s: entry(3, 'UInt32', 's', '最早待发读数的时长', 'Age of the oldest reading'),
  outbox_room_h: entry(4, 'Float', 'h', '按当前速率可存时长', 'Room at the present rate'),
  dropped_readings: entry(5, 'UInt32', '', '已丢弃读数', 'Readings dropped'),
  dropped_from: entry(6, 'DateTime', 'ms', '最近丢弃时段起点', 'Start of the last lost interval'),
  dropped_to: entry(7, 'DateTime', 'ms', '最近丢弃时段终点', 'End of the last lost interval'),
  not_kept: entry(8, 'UInt32', '', '磁盘未能存入的读数', 'Readings that the disk did not take'),
  receipt_delay_ms: entry(9, 'UInt32', 'ms', '最近回执延迟', 'Delay of the last receipt'),
  bytes_today: entry(10, 'UInt64', 'B', '今日流量', 'Bytes today'),
  bytes_month: entry(11, 'UInt64', 'B', '本月流量', 'Bytes this month'),
  month_end_mb: entry(12, 'Float', 'MB', '预计月末流量', 'Projected to the end of the month'),
  plan_mb: entry(13, 'Float', 'MB', '月流量套餐', 'Data plan of a month'),
  slow_down: entry(14, 'Int32', '', '降速级别', 'Slow-down step'),
  clock_skew_ms: entry(15, 'Int64', 'ms', '时钟偏差（正为快）', 'Clock ahead of the center'),
  clock_state: entry(16, 'Int32', '', '时钟状态', 'Clock state'),
  polls_missed: entry(17, 'UInt32', '', '漏采次数', 'Polls missed'),
  connections: entry(18, 'UInt32', '', '连接次数', 'Connections since the start'),
  uptime_s: entry(19, 'UInt32', 's', '运行时长', 'Uptime'),
  silence_ms: entry(22, 'UInt32', 'ms', '最长静默', 'Longest silence of a value'),
  config_version: entry(23, 'UInt32', '', '配置版本', 'Version of the configuration from the center'),
} as const satisfies Record<string, Entry>
export type HealthNumber = keyof typeof HEALTH_NUMBERS
export const HEALTH_NUMBER_NAMES = Object.keys(HEALTH_NUMBERS) as HealthNumber[]

/** As the numbers, but texts on the wire: errors as a JSON object of counts. */
export const HEALTH_TEXTS = {
  errors: entry(20, 'String', '', '读数错误计数', 'Readings that failed, by reason'),
  agent_version: entry(21, 'String', '', '程序版本', 'Version of the agent'),
  config_hash: entry(24, 'String', '', '配置校验码', 'Hash of the configuration in force'),
} as const satisfies Record<string, Entry>

const HealthFields = Object.fromEntries(
  HEALTH_NUMBER_NAMES.map((name) => {
    const { label, unit } = HEALTH_NUMBERS[name]
    return [name, Type.Union([Type.Number(), Type.Null()], { description: unit === '' ? label.en : `${label.en}, ${unit}` })]
  }),
)

/** null: not known, or not told yet. Counts are since the agent's start, `dropped_…` since the outbox was made. */
export type SiteHealth = { [K in HealthNumber]: number | null } & {
  /** Readings that could not be taken, by reason (contract/reading.ts). */
  errors: Record<string, number> | null
  agent_version: string | null
  config_hash: string | null
}
export const SiteHealth = Type.Unsafe<SiteHealth>(
  Type.Object(
    {
      ...HealthFields,
      errors: Type.Union([Type.Record(Type.String(), Type.Integer()), Type.Null()], { description: HEALTH_TEXTS.errors.label.en }),
      agent_version: Type.Union([Type.String(), Type.Null()], { description: HEALTH_TEXTS.agent_version.label.en }),
      config_hash: Type.Union([Type.String(), Type.Null()], { description: HEALTH_TEXTS.config_hash.label.en }),
    },
    { additionalProperties: false, description: 'What the agent last said of itself' },
  ),
)

/** Nothing known. */
export const noHealth = (): SiteHealth => ({
  ...(Object.fromEntries(HEALTH_NUMBER_NAMES.map((name) => [name, null])) as Record<HealthNumber, null>),
  errors: null,
  agent_version: null,
  config_hash: null,
})

/** The last state of one site: retained on `sluice/v1/site/<area>/<site>`, replaced as a whole. Times are ms since 1970 UTC at ingest. */
export const SiteState = Type.Object(
  {
    site: Type.String(),
    area: Type.String(),
    online: Type.Boolean({ description: 'Between the Sparkplug birth and death of the site' }),
    since: Type.Number({ description: 'Since when it has been online, or offline' }),
    heard_at: Type.Number({ description: 'When it was last heard; told again at most once a minute' }),
    receive_skew_ms: Type.Union([Type.Number(), Type.Null()], {
      description: 'Receive time less the sender’s own time of the last message: the way over the link and the error of the clock',
    }),
    health_at: Type.Union([Type.Number(), Type.Null()], { description: 'When any of the health was last told' }),
    health: SiteHealth,
  },
  { additionalProperties: false },
)
export type SiteState = Static<typeof SiteState>

export const HEALTH_PREFIX = 'Health/'
const nameOf = (key: string): string => `${HEALTH_PREFIX}${key}`

type HealthKey = keyof SiteHealth
const ENTRIES = { ...HEALTH_NUMBERS, ...HEALTH_TEXTS } as const satisfies Record<HealthKey, Entry>
export const HEALTH_KEYS = Object.keys(ENTRIES) as HealthKey[]

/** Health as metrics, by name and alias in a birth, by alias alone in data. `datatype` is there for the encoder in both. */
export function healthMetrics(
  health: SiteHealth,
  options: { keys: readonly HealthKey[]; timestamp: number; as: 'birth' | 'data' },
): SparkplugMetric[] {
  return options.keys.map((key) => {
    const { alias, datatype } = ENTRIES[key]
    const name = options.as === 'birth' ? { name: nameOf(key) } : {}
    return { ...name, alias, timestamp: options.timestamp, datatype, value: wireValue(health[key], datatype) }
  })
}

function wireValue(value: SiteHealth[HealthKey], datatype: HealthDatatype): SparkplugMetric['value'] {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'object') return JSON.stringify(value)
  if (datatype === 'Float') return value
  const whole = Math.round(value)
  if (datatype === 'Int64') return BigInt(whole)
  const most = datatype === 'Int32' ? 2 ** 31 - 1 : datatype === 'UInt32' ? 2 ** 32 - 1 : Number.MAX_SAFE_INTEGER
  const bounded = Math.min(most, Math.max(0, whole))
  return datatype === 'UInt64' || datatype === 'DateTime' ? BigInt(bounded) : bounded
}

/** What of a node's metrics is health. Names that this version does not know, and values that are none, are left out. */
export function healthOf(metrics: readonly (SparkplugMetric & { name: string })[]): Partial<SiteHealth> {
  const health: Partial<SiteHealth> = {}
  for (const { name, value } of metrics) {
    if (!name.startsWith(HEALTH_PREFIX)) continue
    const key = name.slice(HEALTH_PREFIX.length)
    if (key === 'errors') health.errors = typeof value === 'string' ? countsOf(value) : null
    else if (key === 'agent_version' || key === 'config_hash')
      health[key] = typeof value === 'string' ? value.slice(0, LONGEST_VERSION) : null
    else if (isHealthNumber(key)) health[key] = numberOf(value)
  }
  return health
}

const LONGEST_VERSION = 64
const isHealthNumber = (key: string): key is HealthNumber => Object.hasOwn(HEALTH_NUMBERS, key)

function numberOf(value: SparkplugMetric['value']): number | null {
  const number = typeof value === 'bigint' || typeof value === 'number' ? Number(value) : Number.NaN
  return Number.isFinite(number) ? number : null
}

function countsOf(text: string): Record<string, number> | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return null
    return Object.fromEntries(
      Object.entries(value).filter((e): e is [string, number] => isBadReason(e[0]) && Number.isSafeInteger(e[1]) && e[1] >= 0),
    )
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
