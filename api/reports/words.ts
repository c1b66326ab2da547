import type { ReportContent, ReportIssueView, ReportRow } from '#contract/http/report.ts'
import { periodName } from '#contract/period-names.ts'

/** What a report says, in the district's two languages. */
export const WORDS = {
  zh: {
    kinds: { day: '水量日报', tenday: '水量旬报', month: '水量月报', season: '灌季水量报表' },
    whole: '全灌区',
    span: '起止（至为不含）',
    never: '未签发：数字为查询时的数字',
    issued: (n: number, by: string) => `第 ${n} 次签发，${by}`,
    again: '更正签发：与上次不同的数字有“变”字',
    old: '签发后数字已变：本表为现在的数字，与上次签发不同的有“变”字，尚未重新签发',
    superseded: (n: number) => `已被第 ${n} 次签发取代`,
    running: '统计时段尚未结束：数字至查询时为止',
    areas: '各灌域合计',
    pdfColumns: ['水闸', '流量', '水量 万m³', '± 万m³', '流量日', '平均 m³/s', '最小', '最大', '完整率', '缺测', '估算', '坏值', '标注'],
    note: '* 不计入合计。标注：变 与上次签发不同，更 有更正。水量为 ∫流量·dt，只计有数据的时间，缺测不推算；± 约为 95 % 置信。合计的完整率取其中最低者。',
    signatures: ['制表', '校核', '审定'],
    page: (n: number, of: number) => `第 ${n} 页，共 ${of} 页`,
    columns: [
      '灌域',
      '渠道',
      '水闸',
      '测项',
      '计入合计',
      '水量 m³',
      '± m³',
      '水量 万m³',
      '平均流量 m³/s',
      '最小 m³/s',
      '最大 m³/s',
      '完整率',
      '估算占比',
      '坏值占比',
      '标注',
    ],
    metrics: { flow: '实测', flow_derived: '计算' },
    total: '合计',
    yes: '是',
    corrected: '有更正',
    changed: '变',
    shortMarks: { corrected: '更', changed: '变' },
  },
  en: {
    kinds: { day: 'Daily volumes', tenday: 'Ten-day volumes', month: 'Monthly volumes', season: 'Volumes of the season' },
    whole: 'Whole district',
    span: 'From, to (not included)',
    never: 'Not issued: the figures are those of now',
    issued: (n: number, by: string) => `Issue ${n}, by ${by}`,
    again: 'Issued again: figures that differ from the issue before are marked “changed”',
    old: 'Figures have changed since the issue: these are those of now, not issued yet, and what differs is marked “changed”',
    superseded: (n: number) => `superseded by issue ${n}`,
    running: 'The period is not over: the figures are up to the moment of the question',
    areas: 'Totals by area',
    pdfColumns: [
      'Gate',
      'Flow',
      '10⁴ m³',
      '± 10⁴ m³',
      'Flow days',
      'Mean m³/s',
      'Least',
      'Most',
      'Complete',
      'Missing',
      'Estim.',
      'Bad',
      'Mark',
    ],
    note: '* not counted in totals. Mark: ch changed since the issue before, co corrected. A volume is ∫flow·dt over the time that is known; what is missing is not guessed. ± is about 95 %. A total is as complete as its least complete part.',
    signatures: ['Made by', 'Checked by', 'Approved by'],
    page: (n: number, of: number) => `Page ${n} of ${of}`,
    columns: [
      'Area',
      'Canal',
      'Gate',
      'Flow',
      'Counted',
      'Volume m³',
      '± m³',
      'Volume 10⁴ m³',
      'Mean m³/s',
      'Least m³/s',
      'Most m³/s',
      'Complete',
      'Estimated',
      'Bad',
      'Mark',
    ],
    metrics: { flow: 'measured', flow_derived: 'derived' },
    total: 'Total',
    yes: 'yes',
    corrected: 'corrected',
    changed: 'changed',
    shortMarks: { corrected: 'co', changed: 'ch' },
  },
} as const
export type ReportLanguage = keyof typeof WORDS
export type ReportWords = (typeof WORDS)[ReportLanguage]
/** Of what these figures are: of now or of an issue, and how they stand to the issues that there are. */
export function issueText({ issue, issues, shown, is_current, running }: ReportIssueView, words: ReportWords): string {
  const late = running && shown === null ? [words.running] : []
  if (issue === null) return [words.never, ...late].join('. ')
  const of = shown ?? issue
  const by = issues.find((i) => i.issue === of)?.by ?? ''
  const stale = shown === null && !is_current ? [words.old] : []
  const again = of > 1 && stale.length === 0 ? [words.again] : []
  const superseded = of < issue ? [words.superseded(issue)] : []
  return [words.issued(of, by), ...again, ...superseded, ...stale, ...late].join('. ')
}

export const marksOf = (row: ReportRow, { changed }: ReportIssueView, words: { corrected: string; changed: string }): string[] =>
  [row.corrected ? words.corrected : [], changed.includes(row.gate) ? words.changed : []].flat()

export const titleOf = (content: ReportContent, language: ReportLanguage): string =>
  `${areaName(content, language) ?? WORDS[language].whole} ${WORDS[language].kinds[content.kind]} ${periodName(content.kind, content.period)[language]}`

export const areaName = (content: ReportContent, language: ReportLanguage): string | undefined =>
  content.area === null ? undefined : (content.areas.find((a) => a.id === content.area)?.name[language] ?? content.area)

export const localTime = (t: number, offsetMin: number): string =>
  new Date(t + offsetMin * 60_000).toISOString().slice(0, 16).replace('T', ' ')
