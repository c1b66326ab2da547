import { strToU8, zipSync } from 'fflate'
import type { ReportContent, ReportIssueView, ReportRow } from '#contract/http/report.ts'
import { numberCell, packageParts, rowOf, sheetOf, textCell } from '../export/xlsx.ts'

/** What a report's workbook says, in the district's two languages. */
const WORDS = {
  zh: {
    kinds: { day: '水量日报', tenday: '水量旬报', month: '水量月报', season: '灌季水量报表' },
    whole: '全灌区',
    span: '起止（至为不含）',
    never: '未签发：数字为查询时的数字',
    issued: (n: number, by: string) => `第 ${n} 次签发，${by}`,
    again: '更正签发：与上次不同的数字有“变”字',
    old: '签发后数字已变：本表为现在的数字，尚未重新签发',
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
  },
  en: {
    kinds: { day: 'Daily volumes', tenday: 'Ten-day volumes', month: 'Monthly volumes', season: 'Volumes of the season' },
    whole: 'Whole district',
    span: 'From, to (not included)',
    never: 'Not issued: the figures are those of now',
    issued: (n: number, by: string) => `Issue ${n}, by ${by}`,
    again: 'Issued again: figures that differ from the issue before are marked “changed”',
    old: 'Figures have changed since the issue: these are those of now, not issued yet',
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
  },
} as const
export type ReportLanguage = keyof typeof WORDS
type Total = Pick<ReportRow, 'volume_m3' | 'plus_minus_m3' | 'completeness'>

/** One sheet: a head that says what, when and which issue; then each gate under its canal, the canal's total and the area's. Figures are those of the API. */
export function reportXlsx(view: ReportIssueView, how: { language: ReportLanguage; offsetMin: number }): Uint8Array {
  const words = WORDS[how.language]
  const { content } = view
  const title = `${areaName(content, how.language) ?? words.whole} ${words.kinds[content.kind]} ${content.period}`
  const rows = [
    rowOf([textCell(title)]),
    rowOf([textCell(words.span), textCell(localTime(content.from, how.offsetMin)), textCell(localTime(content.to, how.offsetMin))]),
    rowOf([textCell(issueText(view, words))]),
    rowOf(words.columns.map(textCell)),
    ...content.areas.flatMap((area) => [
      ...area.canals.flatMap((canal) => [
        ...canal.rows.map((row) =>
          gateRow(row, { area: area.name[how.language], canal: canal.name[how.language], view, language: how.language }),
        ),
        totalRow(canal, { area: area.name[how.language], canal: canal.name[how.language], label: words.total }),
      ]),
      totalRow(area, { area: area.name[how.language], canal: '', label: words.total }),
    ]),
  ]
  const parts = [['xl/worksheets/sheet1.xml', sheetOf(rows.join(''))] as const, ...packageParts([`${content.kind} ${content.period}`])]
  return zipSync(Object.fromEntries(parts.map(([name, xml]) => [name, strToU8(xml)])))
}

function gateRow(row: ReportRow, of: { area: string; canal: string; view: ReportIssueView; language: ReportLanguage }): string {
  const words = WORDS[of.language]
  const marks = [row.corrected ? words.corrected : [], of.view.changed.includes(row.gate) ? words.changed : []].flat()
  return rowOf([
    textCell(of.area),
    textCell(of.canal),
    textCell(row.name[of.language]),
    textCell(row.metric === 'flow' ? words.metrics.flow : words.metrics.flow_derived),
    textCell(row.counted ? words.yes : ''),
    ...volumeCells(row),
    numberCell(row.mean_flow_m3s),
    numberCell(row.min_flow_m3s),
    numberCell(row.max_flow_m3s),
    numberCell(row.completeness),
    numberCell(row.estimated_share),
    numberCell(row.bad_share),
    textCell(marks.join(' ')),
  ])
}

const totalRow = (total: Total, of: { area: string; canal: string; label: string }): string =>
  rowOf([
    textCell(of.area),
    textCell(of.canal),
    textCell(of.label),
    textCell(''),
    textCell(''),
    ...volumeCells(total),
    ...[null, null, null].map(numberCell),
    numberCell(total.completeness),
  ])

const volumeCells = ({ volume_m3, plus_minus_m3 }: Total): string[] => [
  numberCell(volume_m3),
  numberCell(plus_minus_m3),
  numberCell(volume_m3 === null ? null : volume_m3 / 10_000),
]

function issueText({ issue, issued_by, is_current }: ReportIssueView, words: (typeof WORDS)[ReportLanguage]): string {
  if (issue === null) return words.never
  const said = [words.issued(issue, issued_by ?? ''), ...(issue > 1 ? [words.again] : []), ...(is_current ? [] : [words.old])]
  return said.join('. ')
}

const areaName = (content: ReportContent, language: ReportLanguage): string | undefined =>
  content.area === null ? undefined : (content.areas.find((a) => a.id === content.area)?.name[language] ?? content.area)

const localTime = (t: number, offsetMin: number): string => new Date(t + offsetMin * 60_000).toISOString().slice(0, 16).replace('T', ' ')
