import type { PeriodStep } from './periods.ts'

/** What people call a period, from its key. */

const TEN_DAYS: Readonly<Record<string, { zh: string; en: string }>> = {
  D1: { zh: '上旬', en: 'days 1–10' },
  D2: { zh: '中旬', en: 'days 11–20' },
  D3: { zh: '下旬', en: 'days 21–end' },
}
/** Of the default calendar; a district's own season goes by the name that it has in the settings. */
const SEASONS: Readonly<Record<string, { zh: string; en: string }>> = {
  summer: { zh: '夏灌', en: 'summer irrigation' },
  autumn: { zh: '秋灌', en: 'autumn irrigation' },
  leaching: { zh: '秋浇', en: 'autumn leaching' },
  idle: { zh: '非灌溉期', en: 'idle season' },
}

export function periodName(step: PeriodStep, key: string): { zh: string; en: string } {
  const [year = '', month = '', part = ''] = key.split('-')
  const monthName = `${year}年${Number(month)}月`
  switch (step) {
    case 'hour':
      return { zh: key.replace('T', ' '), en: key.replace('T', ' ') }
    case 'day':
      return { zh: `${monthName}${Number(part)}日`, en: key }
    case 'tenday': {
      const name = TEN_DAYS[part] ?? { zh: part, en: part }
      return { zh: `${monthName}${name.zh}`, en: `${year}-${month}, ${name.en}` }
    }
    case 'month':
      return { zh: monthName, en: key }
    case 'season': {
      const season = key.slice(year.length + 1)
      const name = SEASONS[season] ?? { zh: season, en: season }
      return { zh: `${year}年${name.zh}`, en: `${year} ${name.en}` }
    }
    case 'year':
      return { zh: `${year}—${Number(year) + 1} 水文年`, en: `water year ${year}/${String(Number(year) + 1).slice(2)}` }
  }
}
