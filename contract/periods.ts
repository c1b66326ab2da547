import { type Static, Type } from 'typebox'
import { type UnixMs, unixMs } from './units.ts'

/** Months, days and hours of the district, in which volumes are summed. */

const MONTH_DAY = '^(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$'
const MonthDay = Type.String({ pattern: MONTH_DAY, description: 'Month and day, MM-DD' })
export const CalendarSettings = Type.Object(
  {
    utc_offset_min: Type.Integer({
      default: 480,
      minimum: -720,
      maximum: 840,
      description: 'Local time, in minutes ahead of UTC; 480 is Asia/Shanghai, which has no summer time',
    }),
    day_start_min: Type.Integer({
      default: 480,
      minimum: 0,
      maximum: 1439,
      description: 'When the water day begins, in minutes after local midnight; 480 is 08:00',
    }),
    year_start: Type.String({ default: '07-01', pattern: MONTH_DAY, description: 'First day of the water year, MM-DD' }),
    seasons: Type.Record(Type.String(), MonthDay, {
      default: { summer: '04-01', autumn: '07-01', leaching: '09-15', idle: '11-21' },
      description: 'First day of each season, MM-DD: 夏灌 summer, 秋灌 autumn, 秋浇 leaching, and the rest',
    }),
  },
  { additionalProperties: false, default: {} },
)
export type Calendar = Static<typeof CalendarSettings>

export const HETAO_CALENDAR: Calendar = {
  utc_offset_min: 480,
  day_start_min: 480,
  year_start: '07-01',
  seasons: { summer: '04-01', autumn: '07-01', leaching: '09-15', idle: '11-21' },
}

/** Month of local time, 1 … 12, by the default district's calendar. */
export const monthOf = (t: number): number => new Date(t + HETAO_CALENDAR.utc_offset_min * 60_000).getUTCMonth() + 1

export const PERIOD_STEPS = ['hour', 'day', 'tenday', 'month', 'season', 'year'] as const
export type PeriodStep = (typeof PERIOD_STEPS)[number]

export type Period = {
  readonly from: UnixMs
  readonly to: UnixMs
  /** By the local date on which it begins: 2026-07-01T08:00, 2026-07-01, 2026-07-D1 … D3 (旬), 2026-07, 2026-summer, 2026. */
  readonly key: string
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const TEN_DAYS = [1, 11, 21] as const

/** The periods that a span touches, whole, ascending, each one's end the next one's beginning. @throws RangeError for a span that is none. */
export function periodsIn(step: PeriodStep, span: { from: number; to: number }, calendar: Calendar): Period[] {
  if (!(Number.isFinite(span.from) && Number.isFinite(span.to) && span.from <= span.to))
    throw new RangeError(`no span from ${span.from} to ${span.to}`)
  const found: Period[] = []
  for (let at = span.from; at < span.to; ) {
    const period = periodAt(step, at, calendar)
    found.push(period)
    at = period.to
  }
  return found
}

/** The period in which `t` lies. */
export function periodAt(step: PeriodStep, t: number, calendar: Calendar): Period {
  // In water time a water day is a UTC day: what follows reckons with UTC dates alone.
  const shift = (calendar.utc_offset_min - calendar.day_start_min) * MINUTE_MS
  const period = (from: number, to: number, key: string): Period => ({ from: unixMs(from - shift), to: unixMs(to - shift), key })
  const at = t + shift
  const day = at - (((at % DAY_MS) + DAY_MS) % DAY_MS)
  const date = new Date(day)
  const [year, month, dayOfMonth] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  const iso = date.toISOString()
  switch (step) {
    case 'hour': {
      const from = at - (((at % HOUR_MS) + HOUR_MS) % HOUR_MS)
      const local = new Date(from - shift + calendar.utc_offset_min * MINUTE_MS).toISOString()
      return period(from, from + HOUR_MS, local.slice(0, 16))
    }
    case 'day':
      return period(day, day + DAY_MS, iso.slice(0, 10))
    case 'tenday': {
      const nth = dayOfMonth > 20 ? 2 : dayOfMonth > 10 ? 1 : 0
      const to = nth === 2 ? Date.UTC(year, month + 1, 1) : Date.UTC(year, month, TEN_DAYS[nth + 1])
      return period(Date.UTC(year, month, TEN_DAYS[nth]), to, `${iso.slice(0, 7)}-D${nth + 1}`)
    }
    case 'month':
      return period(Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1), iso.slice(0, 7))
    case 'season':
      return between(day, Object.entries(calendar.seasons), period)
    case 'year': {
      const { from, to } = between(day, [['', calendar.year_start]], (a, b) => ({ from: a, to: b }))
      return period(from, to, String(new Date(from).getUTCFullYear()))
    }
  }
}

/** The stretch between two of the yearly `starts` in which a day lies. */
function between<T>(
  day: number,
  starts: readonly (readonly [name: string, monthDay: string])[],
  make: (from: number, to: number, key: string) => T,
): T {
  const year = new Date(day).getUTCFullYear()
  const all = [year - 1, year, year + 1]
    .flatMap((y) => starts.map(([name, monthDay]) => ({ name, y, at: Date.parse(`${y}-${monthDay}T00:00:00Z`) })))
    .toSorted((a, b) => a.at - b.at)
  const next = all.findIndex(({ at }) => at > day)
  const [begun, following] = [all[next - 1], all[next]]
  if (!begun || !following) throw new RangeError('a calendar without seasons')
  return make(begun.at, following.at, `${begun.y}-${begun.name}`)
}
