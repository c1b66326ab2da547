import { strToU8, zipSync } from 'fflate'
import type { ReportIssueView, ReportRow } from '#contract/http/report.ts'
import { numberCell, packageParts, rowOf, sheetOf, textCell } from '../export/xlsx.ts'
import { issueText, localTime, marksOf, type ReportLanguage, titleOf, WORDS } from './words.ts'

type Total = Pick<ReportRow, 'volume_m3' | 'plus_minus_m3' | 'completeness'>

/** One sheet: a head that says what, when and which issue; then each gate under its canal, the canal's total and the area's. Figures are those of the API. */
export function reportXlsx(view: ReportIssueView, how: { language: ReportLanguage; offsetMin: number }): Uint8Array {
  const words = WORDS[how.language]
  const { content } = view
  const title = titleOf(content, how.language)
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
    textCell(marksOf(row, of.view, words).join(' ')),
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
