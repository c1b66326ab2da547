/** Every time on the screen is Beijing time, whatever the workstation's zone. */
export const ZONE = 'Asia/Shanghai'

// Swedish writes 2026-11-23 14:03:22: the order that people sort and file by.
const full = new Intl.DateTimeFormat('sv-SE', {
  timeZone: ZONE,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

/** `2026-11-23 14:03:22`. @param t ms since 1970 UTC */
export const dateTimeText = (t: number): string => full.format(t)
/** `14:03:22` */
export const clockText = (t: number): string => dateTimeText(t).slice(11)
/** `2026-11-23` */
export const dayText = (t: number): string => dateTimeText(t).slice(0, 10)

/** What a datetime-local field of seconds holds, `2026-11-23T14:03:22`, in Beijing time. @param t ms since 1970 UTC */
export const beijingFieldOfSeconds = (t: number): string => dateTimeText(t).replace(' ', 'T')
/** What a datetime-local field holds, `2026-11-23T14:03`. */
export const beijingField = (t: number): string => beijingFieldOfSeconds(t).slice(0, 16)
/** @returns ms since 1970 UTC of either field, NaN where it holds no time */
export const msOfField = (field: string): number => Date.parse(`${field}+08:00`)

/** The shortest form that can't be mistaken at `now`: the time of today, else with month and day, else with the year. */
export function momentText(t: number, now: number): string {
  const [text, today] = [dateTimeText(t), dateTimeText(now)]
  if (text.slice(0, 10) === today.slice(0, 10)) return text.slice(11)
  return text.slice(0, 4) === today.slice(0, 4) ? text.slice(5) : text
}

const BEIJING_AHEAD_MS = 8 * 3_600_000
/**
 * A date whose local fields are Beijing's, as uPlot asks for the marks of an axis. Beijing has kept UTC+8 since 1991: a sum, where the library formats the
 * time as text and reads it again, for each mark of each frame.
 */
export function beijingDate(t: number): Date {
  const date = new Date(t)
  return new Date(t + BEIJING_AHEAD_MS + date.getTimezoneOffset() * 60_000)
}

/**
 * Labels of a time axis: the day where it changes, else the time, as fine as the step needs.
 * @param ticks ms since 1970 UTC, ascending
 * @param stepMs distance of two ticks
 */
export function axisTexts(ticks: readonly number[], stepMs: number): string[] {
  let day = ''
  return ticks.map((t) => {
    const text = dateTimeText(t)
    const time = stepMs < 60_000 ? text.slice(11) : text.slice(11, 16)
    const changed = text.slice(5, 10) !== day
    day = text.slice(5, 10)
    if (stepMs >= 86_400_000) return day
    return changed ? `${time}\n${day}` : time
  })
}
