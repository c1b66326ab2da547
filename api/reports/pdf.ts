import { setImmediate as nextTurn } from 'node:timers/promises'
import PDFDocument from 'pdfkit'
import type { ReportIssueView, ReportRow } from '#contract/http/report.ts'
import { readChineseFont } from './font.ts'
import { type Column, type Pdf, PdfTable } from './pdf-table.ts'
import { issueText, localTime, marksOf, type ReportLanguage, type ReportWords, titleOf, WORDS } from './words.ts'

type Total = Pick<ReportRow, 'volume_m3' | 'plus_minus_m3' | 'completeness'>

const MARGIN_PT = 34
const FONT_PT = 8.5
const WIDTHS_PT = [190, 40, 66, 54, 58, 52, 50, 50, 46, 46, 46, 46, 30] as const
const LEFT_COLUMNS: readonly number[] = [0, 1, 12]

/** The report on A4 across, signed below. Its font goes with the file, so that it reads the same everywhere. */
export async function reportPdf(view: ReportIssueView, how: { language: ReportLanguage; offsetMin: number }): Promise<Buffer> {
  const words = WORDS[how.language]
  const { content } = view
  const title = titleOf(content, how.language)
  const [regular, bold] = await Promise.all([readChineseFont(400), readChineseFont(700)])
  const doc = new PDFDocument({ size: 'A4', layout: 'landscape', margin: MARGIN_PT, bufferPages: true, info: { Title: title } })
  const written = bytesOf(doc)
  doc.registerFont('regular', regular).registerFont('bold', bold)

  doc.font('bold').fontSize(15).text(title, { align: 'center' })
  doc.font('regular').fontSize(FONT_PT)
  const [from, to] = [content.from, content.to].map((t) => localTime(t, how.offsetMin))
  doc.text(`${words.span} ${from} – ${to}`, { align: 'center' })
  doc.text(issueText(view, words), { align: 'center' }).moveDown(0.6)

  const table = new PdfTable(doc, columnsOf(words))
  table.section(words.areas)
  const counted = content.areas.filter((a) => a.canals.some((c) => c.rows.some((r) => r.counted)))
  for (const area of counted) table.row(totalCells(area.name[how.language], area), 'bold')
  for (const area of content.areas) {
    for (const canal of area.canals) {
      table.section(`${area.name[how.language]} · ${canal.name[how.language]}`)
      for (const row of canal.rows) table.row(gateCells(row, view, how.language))
      if (canal.rows.some((r) => r.counted)) table.row(totalCells(words.total, canal), 'bold')
    }
    // Live values go out between two areas.
    await nextTurn()
  }
  table.end()
  sign(doc, words)
  numberPages(doc, words)
  doc.end()
  return await written
}

const columnsOf = (words: ReportWords): Column[] =>
  words.pdfColumns.map((title, i) => ({ title, widthPt: WIDTHS_PT[i] ?? 0, align: LEFT_COLUMNS.includes(i) ? 'left' : 'right' }))

function gateCells(row: ReportRow, view: ReportIssueView, language: ReportLanguage): string[] {
  const words = WORDS[language]
  const flows = [row.mean_flow_m3s, row.min_flow_m3s, row.max_flow_m3s].map((v) => figure(v, 2))
  const shares = [1 - row.completeness, row.estimated_share, row.bad_share].map(share)
  return [
    row.counted ? row.name[language] : `${row.name[language]} *`,
    row.metric === 'flow' ? words.metrics.flow : words.metrics.flow_derived,
    ...volumeCells(row),
    ...flows,
    share(row.completeness),
    ...shares,
    marksOf(row, view, words.shortMarks).join(' '),
  ]
}
const totalCells = (label: string, total: Total): string[] => [
  label,
  '',
  ...volumeCells(total),
  '',
  '',
  '',
  share(total.completeness),
  share(1 - total.completeness),
]
const volumeCells = ({ volume_m3, plus_minus_m3 }: Total): string[] => [
  figure(scaled(volume_m3, 10_000), 3),
  figure(scaled(plus_minus_m3, 10_000), 3),
  figure(scaled(volume_m3, 86_400), 2),
]
const scaled = (value: number | null, by: number): number | null => (value === null ? null : value / by)
const figure = (value: number | null, decimals: number): string => (value === null ? '—' : value.toFixed(decimals))
const share = (of: number): string => `${(of * 100).toFixed(1)} %`

function sign(doc: Pdf, words: ReportWords): void {
  doc.font('regular').fontSize(FONT_PT)
  const width = doc.page.width - 2 * MARGIN_PT
  if (doc.y + 60 > doc.page.height - MARGIN_PT) doc.addPage()
  doc.text(words.note, MARGIN_PT, doc.y + 6, { width })
  const y = doc.y + 18
  for (const [i, by] of words.signatures.entries()) doc.text(`${by} ________________`, MARGIN_PT + (i * width) / 3, y, { lineBreak: false })
}

function numberPages(doc: Pdf, words: ReportWords): void {
  const { start, count } = doc.bufferedPageRange()
  for (let i = 0; i < count; i++) {
    doc.switchToPage(start + i)
    // Below the margin text would begin a page of its own.
    doc.page.margins.bottom = 0
    doc.font('regular').fontSize(FONT_PT)
    doc.text(words.page(i + 1, count), MARGIN_PT, doc.page.height - 24, {
      width: doc.page.width - 2 * MARGIN_PT,
      align: 'right',
      lineBreak: false,
    })
  }
}

function bytesOf(doc: Pdf): Promise<Buffer> {
  const chunks: Buffer[] = []
  return new Promise((resolve, reject) => {
    doc.on('data', (chunk: Buffer) => chunks.push(chunk))
    doc.on('end', () => resolve(Buffer.concat(chunks)))
    doc.on('error', reject)
  })
}
