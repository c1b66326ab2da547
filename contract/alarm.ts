/** Alarms after ISA-18.2 as ingest, API and dashboard agree on them: kinds, rules, and the state of one alarm. */
import { type Static, Type } from 'typebox'
import type { District, Site, Structure } from './district.ts'

/** The most urgent first. */
export const PRIORITIES = ['critical', 'high', 'medium', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

/** How a rule looks at its value: above or below a limit, changing too fast (per hour), not believable, unchanged, or told by no sample. */
export type AlarmForm = 'above' | 'below' | 'rate' | 'bad' | 'frozen' | 'told'
type Kind = {
  readonly form: AlarmForm
  /** Metric of the catalogue, or `head`: level_up less level_down. */
  readonly metric: string | null
  readonly unit: string
  readonly target: 'gate' | 'site' | 'center'
  readonly priority: Priority
  readonly deadband: number
  readonly delayOnMs: number
  readonly delayOffMs: number
  readonly months: readonly number[] | null
  readonly label: { readonly zh: string; readonly en: string }
}
const kind = (label: Kind['label'], rest: Pick<Kind, 'form' | 'target' | 'priority'> & Partial<Kind>): Kind => ({
  metric: null,
  unit: '',
  deadband: 0,
  delayOnMs: 0,
  delayOffMs: 0,
  months: null,
  label,
  ...rest,
})
const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const level = {
  metric: 'level_up',
  unit: 'm',
  target: 'gate',
  deadband: 0.05,
  delayOnMs: 10 * SECOND_MS,
  delayOffMs: 30 * SECOND_MS,
} as const
const atOnce = { form: 'above', target: 'gate', delayOnMs: 5 * SECOND_MS } as const
const judged = { form: 'bad', target: 'gate', priority: 'medium', delayOnMs: 30 * SECOND_MS, delayOffMs: 30 * SECOND_MS } as const
/** The canals run from April to mid November; between, low water is no alarm. */
const RUNNING_MONTHS = [5, 6, 7, 8, 9, 10]

/** Every kind of alarm with its defaults. Limits and delays of a new district are estimates until its engineers have set them. */
export const ALARM_KINDS = {
  level_guarantee: kind({ zh: '超保证水位', en: 'Above guarantee level' }, { ...level, form: 'above', priority: 'critical' }),
  level_warning: kind({ zh: '超警戒水位', en: 'Above warning level' }, { ...level, form: 'above', priority: 'high' }),
  level_low: kind({ zh: '低水位', en: 'Low level' }, { ...level, form: 'below', priority: 'medium', months: RUNNING_MONTHS }),
  level_rate: kind(
    { zh: '水位变化过快', en: 'Level changes fast' },
    { form: 'rate', metric: 'level_up', unit: 'm/h', target: 'gate', priority: 'high' },
  ),
  head_low: kind(
    { zh: '上下游水位差过小', en: 'Low differential head' },
    { ...level, metric: 'head', form: 'below', priority: 'low', deadband: 0.02, months: RUNNING_MONTHS },
  ),
  sensor_up: kind({ zh: '闸上水位计异常', en: 'Upstream sensor not believable' }, { ...judged, metric: 'level_up' }),
  sensor_down: kind({ zh: '闸下水位计异常', en: 'Downstream sensor not believable' }, { ...judged, metric: 'level_down' }),
  frozen_up: kind(
    { zh: '闸上水位长时间不变', en: 'Upstream level frozen' },
    { form: 'frozen', metric: 'level_up', target: 'gate', priority: 'low', delayOnMs: 12 * HOUR_MS },
  ),
  gate_fault: kind({ zh: '闸门故障', en: 'Gate fault' }, { ...atOnce, metric: 'fault', priority: 'high' }),
  door_open: kind({ zh: '箱门打开', en: 'Cabinet door open' }, { ...atOnce, metric: 'door', priority: 'low' }),
  battery_low: kind(
    { zh: '电池电压低', en: 'Battery low' },
    { form: 'below', metric: 'battery', unit: 'V', target: 'gate', priority: 'medium', deadband: 0.3, delayOnMs: 60 * SECOND_MS },
  ),
  leaf_moved: kind(
    { zh: '闸门无指令动作', en: 'Leaf moved unasked' },
    { form: 'above', unit: 'm', target: 'gate', priority: 'high', delayOnMs: 60 * SECOND_MS },
  ),
  order_deviation: kind(
    { zh: '偏离调度指令', en: 'Off its order' },
    { form: 'above', unit: '%', target: 'gate', priority: 'medium', deadband: 3, delayOnMs: 600 * SECOND_MS, delayOffMs: 60 * SECOND_MS },
  ),
  /** Of the reach that ends at the gate. */
  reach_unbalanced: kind(
    { zh: '渠段水量不平衡', en: 'Reach out of balance' },
    { form: 'above', unit: '%', target: 'gate', priority: 'low', deadband: 5, delayOnMs: HOUR_MS, months: RUNNING_MONTHS },
  ),
  stale: kind({ zh: '数据未更新', en: 'No new data' }, { form: 'told', target: 'gate', priority: 'medium', delayOnMs: 30 * SECOND_MS }),
  site_lost: kind(
    { zh: '站点失联', en: 'Site out of contact' },
    { form: 'told', target: 'site', priority: 'high', delayOnMs: 20 * SECOND_MS },
  ),
  outbox_dropping: kind({ zh: '站点发件箱丢弃读数', en: 'Outbox drops readings' }, { form: 'told', target: 'site', priority: 'high' }),
  data_plan: kind({ zh: '流量将超套餐', en: 'Data plan will be exceeded' }, { form: 'told', target: 'site', priority: 'low' }),
  broker_lost: kind(
    { zh: '消息服务中断', en: 'Broker lost' },
    { form: 'told', target: 'center', priority: 'critical', delayOnMs: 5 * SECOND_MS },
  ),
} as const satisfies Record<string, Kind>
export type AlarmKind = keyof typeof ALARM_KINDS
export const ALARM_KIND_NAMES = Object.keys(ALARM_KINDS) as AlarmKind[]

const nullable = <T extends Parameters<typeof Type.Array>[0]>(type: T) => Type.Union([type, Type.Null()])
const KindName = Type.Unsafe<AlarmKind>(Type.Enum(ALARM_KIND_NAMES))
const PriorityName = Type.Unsafe<Priority>(Type.Enum([...PRIORITIES]))
const LONGEST_DELAY_MS = 7 * 24 * HOUR_MS
const Delay = Type.Integer({ minimum: 0, maximum: LONGEST_DELAY_MS })

/** What an engineer may set of a rule. */
export const RuleSetting = Type.Object(
  {
    enabled: Type.Boolean(),
    priority: PriorityName,
    limit: nullable(Type.Number({ minimum: -1e9, maximum: 1e9, description: 'In the unit of the kind' })),
    deadband: Type.Number({ minimum: 0, maximum: 1e9, description: 'How far back behind the limit the value must go to return' }),
    delay_on_ms: Delay,
    delay_off_ms: Delay,
    months: nullable(Type.Array(Type.Integer({ minimum: 1, maximum: 12 }), { description: 'Months in which it holds; null is all year' })),
  },
  { additionalProperties: false },
)
export type RuleSetting = Static<typeof RuleSetting>
export const AlarmRule = Type.Object({
  id: Type.String({ description: '<kind>:<gate or site>; also the id of its alarm' }),
  kind: KindName,
  area: nullable(Type.String()),
  site: nullable(Type.String()),
  gate: nullable(Type.String()),
  estimate: Type.Boolean({ description: 'True until an engineer has set it' }),
  ...RuleSetting.properties,
})
export type AlarmRule = Static<typeof AlarmRule>

export const ruleId = (kindName: AlarmKind, target: string): string => `${kindName}:${target}`

/** Estimated limits above and below the design level, in m, until surveyed warning and guarantee levels are set. */
const WARNING_M = 0.2
const GUARANTEE_M = 0.4
const LOW_OF_DEPTH = 0.3
const LEAST_HEAD_M = 0.02
const FASTEST_M_PER_H = 0.6
const LOW_BATTERY_V = 11.8
const MOVED_M = 0.03
/** Of the ordered flow, the design depth or the leaf’s height. */
const OFF_ORDER_PERCENT = 10
const LOST_PERCENT = 25

/** Limits of a gate. Levels count from the structure's datum, as its readings do. */
function limitOf(name: AlarmKind, gate: Structure): number | null {
  const design = gate.design_level_up_m - gate.datum_m
  const sill = gate.sill_m - gate.datum_m
  const limits: Partial<Record<AlarmKind, number>> = {
    level_guarantee: design + GUARANTEE_M,
    level_warning: design + WARNING_M,
    level_low: sill + LOW_OF_DEPTH * (design - sill),
    level_rate: FASTEST_M_PER_H,
    head_low: LEAST_HEAD_M,
    gate_fault: 0.5,
    door_open: 0.5,
    battery_low: LOW_BATTERY_V,
    leaf_moved: MOVED_M,
    order_deviation: OFF_ORDER_PERCENT,
    reach_unbalanced: LOST_PERCENT,
  }
  const limit = limits[name]
  return limit === undefined ? null : Math.round(limit * 1000) / 1000
}

/** The rules of a district: a default for each gate, site and the center, replaced by what an engineer has set. */
export function rulesOf(
  { structures, sites }: Pick<District, 'structures' | 'sites'>,
  set: ReadonlyMap<string, RuleSetting> = new Map(),
): AlarmRule[] {
  const rules: AlarmRule[] = []
  const add = (name: AlarmKind, target: { area: string | null; site: string | null; gate: string | null }, limit: number | null): void => {
    const { priority, deadband, delayOnMs, delayOffMs, months } = ALARM_KINDS[name]
    const id = ruleId(name, target.gate ?? target.site ?? 'center')
    const own = set.get(id)
    const defaults: RuleSetting = {
      enabled: true,
      priority,
      limit,
      deadband,
      delay_on_ms: delayOnMs,
      delay_off_ms: delayOffMs,
      months: months ? [...months] : null,
    }
    rules.push({ id, kind: name, ...target, estimate: own === undefined, ...(own ?? defaults) })
  }
  const of = (target: Kind['target']): AlarmKind[] => ALARM_KIND_NAMES.filter((name) => ALARM_KINDS[name].target === target)
  for (const gate of structures)
    for (const name of of('gate')) add(name, { area: gate.area, site: gate.site, gate: gate.id }, limitOf(name, gate))
  for (const site of sites as readonly Site[])
    for (const name of of('site')) add(name, { area: site.area, site: site.id, gate: null }, null)
  for (const name of of('center')) add(name, { area: null, site: null, gate: null }, null)
  return rules
}

export const ALARM_STATES = ['normal', 'unacknowledged', 'acknowledged', 'returned', 'shelved', 'suppressed', 'out_of_service'] as const
export type AlarmState = (typeof ALARM_STATES)[number]

/** One alarm as API and browser are told of it. Times are ms since 1970 UTC. */
export const Alarm = Type.Object({
  id: Type.String(),
  kind: KindName,
  area: nullable(Type.String()),
  site: nullable(Type.String()),
  gate: nullable(Type.String()),
  priority: PriorityName,
  active: Type.Boolean({ description: 'The condition holds now' }),
  acknowledged: Type.Boolean({ description: 'The last occurrence has been acknowledged' }),
  suppressed: Type.Boolean({ description: 'By design: a lost site or broker explains it' }),
  occurrence: Type.Integer({ description: 'How often it has been raised' }),
  raised_at: nullable(Type.Number()),
  returned_at: nullable(Type.Number()),
  value: nullable(Type.Number()),
  limit: nullable(Type.Number()),
  acknowledged_by: nullable(Type.String()),
  acknowledged_at: nullable(Type.Number()),
  shelved_until: nullable(Type.Number()),
  shelved_by: nullable(Type.String()),
  shelve_reason: nullable(Type.String()),
  out_of_service: Type.Boolean(),
  rev: Type.Integer({ description: 'Counts up with each change' }),
})
export type Alarm = Static<typeof Alarm>

/** ISA-18.2 state at `now`. What is taken out of the operators' view comes before what the process does. */
export function alarmState(
  alarm: Pick<Alarm, 'active' | 'acknowledged' | 'suppressed' | 'shelved_until' | 'out_of_service'>,
  now: number,
): AlarmState {
  if (alarm.out_of_service) return 'out_of_service'
  if (alarm.shelved_until !== null && alarm.shelved_until > now) return 'shelved'
  if (alarm.suppressed && alarm.active) return 'suppressed'
  if (alarm.active) return alarm.acknowledged ? 'acknowledged' : 'unacknowledged'
  return alarm.acknowledged ? 'normal' : 'returned'
}

export const JOURNAL_EVENTS = [
  'raised',
  'returned',
  'historical',
  'acknowledged',
  'shelved',
  'unshelved',
  'commented',
  'out_of_service',
  'in_service',
  'rule_set',
] as const
export type JournalEvent = (typeof JOURNAL_EVENTS)[number]

/** Socket.io: server → client. `full` replaces the list. */
export type AlarmMessage = { at: number; full: boolean; alarms: Alarm[] }
