import { ALARM_KINDS, type Alarm, PRIORITIES, type Priority } from '#contract/alarm.ts'
import type { Area, Site, Structure } from '#contract/district.ts'
import type { MessageBody, ToldAlarm } from '#contract/notification.ts'
import { mostUrgent, type Telling } from './due.ts'

type Language = 'zh' | 'en'
/** A message tells of any number of alarms; beyond these it counts. */
const LISTED = 50
const WRITTEN = 15

export type Names = { readonly areas: readonly Area[]; readonly sites: readonly Site[]; readonly structures: readonly Structure[] }
type Wording = { readonly language: Language; readonly utcOffsetMin: number }

const PRIORITY: Record<Language, Record<Priority, string>> = {
  zh: { critical: '紧急', high: '重要', medium: '一般', low: '提示' },
  en: { critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low' },
}
const WORDS = {
  zh: {
    center: '中心',
    many: (n: number) => `等 ${n} 条告警`,
    escalated: '【无人确认】',
    more: (n: number) => `另有 ${n} 条：`,
    returned: '已恢复，未确认',
    limit: '限值',
    heading: (n: number, step: number) => (step === 0 ? `${n} 条告警待确认：` : `${n} 条告警通知后仍无人确认（第 ${step} 级升级）：`),
    join: '、',
  },
  en: {
    center: 'center',
    many: (n: number) => `and ${n - 1} more`,
    escalated: '[Not acknowledged] ',
    more: (n: number) => `${n} more: `,
    returned: 'returned, not acknowledged',
    limit: 'limit',
    heading: (n: number, step: number) =>
      step === 0 ? `${n} alarms to acknowledge:` : `${n} alarms that nobody has acknowledged since they were told (escalation ${step}):`,
    join: ', ',
  },
} as const

/** One message for all alarms of a telling, the most urgent first. */
export function composeMessage(telling: Telling, about: { id: string; at: number; names: Names } & Wording): MessageBody {
  const { id, at, language } = about
  const { step } = telling
  const words = WORDS[language]
  const told = [...telling.alarms]
    .sort((a, b) => PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) || (a.raised_at ?? 0) - (b.raised_at ?? 0))
    .map((alarm) => toldAlarm(alarm, about))
  const [first] = told
  if (!first) throw new Error('a message tells of no alarm')
  const priority = mostUrgent(told.map((t) => t.priority))
  const lead = `${step > 0 ? words.escalated : ''}[${PRIORITY[language][priority]}] ${first.where} ${first.what}`
  const rest = told.slice(WRITTEN)
  const text = [
    words.heading(told.length, step),
    ...told.slice(0, WRITTEN).map((t) => lineOf(t, about)),
    ...(rest.length === 0 ? [] : [words.more(rest.length) + countsOf(rest, words.join)]),
  ].join('\n')
  return {
    id,
    step,
    at,
    subject: told.length === 1 ? lead : `${lead} ${words.many(told.length)}`,
    text,
    total: told.length,
    priority,
    areas: [...new Set(told.map((t) => t.area))],
    alarms: told.slice(0, LISTED),
  }
}

function toldAlarm(alarm: Alarm, { names, language }: { names: Names; language: Language }): ToldAlarm {
  const { id, occurrence, kind, area, site, gate, priority, active, raised_at, value, limit } = alarm
  const { label, unit } = ALARM_KINDS[kind]
  const found = names.structures.find((s) => s.id === gate) ?? names.sites.find((s) => s.id === site)
  const where = found?.name[language] ?? gate ?? site ?? WORDS[language].center
  return { ...{ id, occurrence, kind, what: label[language], where, area, site, gate, priority, active, raised_at, value, limit }, unit }
}

function lineOf(told: ToldAlarm, { names, language, utcOffsetMin }: { names: Names } & Wording): string {
  const words = WORDS[language]
  const area = names.areas.find((a) => a.id === told.area)?.name[language]
  const value = told.value === null || told.unit === '' ? '' : `${told.value.toFixed(2)} ${told.unit}`
  const limit = value === '' || told.limit === null ? '' : ` (${words.limit} ${told.limit.toFixed(2)})`
  const parts = [
    told.raised_at === null ? '' : localTime(told.raised_at, utcOffsetMin),
    `[${PRIORITY[language][told.priority]}]`,
    area ?? '',
    told.where,
    told.what,
    value + limit,
    told.active ? '' : `(${words.returned})`,
  ]
  return parts.filter((p) => p !== '').join(' ')
}

const countsOf = (told: readonly ToldAlarm[], join: string): string => {
  const counts = new Map<string, number>()
  for (const { what } of told) counts.set(what, (counts.get(what) ?? 0) + 1)
  return [...counts].map(([what, n]) => `${what} ${n}`).join(join)
}

const localTime = (t: number, utcOffsetMin: number): string =>
  new Date(t + utcOffsetMin * 60_000).toISOString().slice(0, 19).replace('T', ' ')
