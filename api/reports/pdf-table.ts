import type PDFDocument from 'pdfkit'

export type Pdf = InstanceType<typeof PDFDocument>
export type Column = { readonly title: string; readonly widthPt: number; readonly align: 'left' | 'right' }

const ROW_PT = 14
const FONT_PT = 8.5
const PAD_PT = 3

/** Rows below each other, with the columns' titles again on each page. The document has the fonts `regular` and `bold`. */
export class PdfTable {
  readonly #doc: Pdf
  readonly #columns: readonly Column[]
  #y: number

  constructor(doc: Pdf, columns: readonly Column[]) {
    this.#doc = doc
    this.#columns = columns
    this.#y = doc.y
    this.#head()
  }

  /** A title across, never the last line of a page. */
  section(title: string): void {
    this.#room(3)
    this.#y += 4
    this.#doc
      .font('bold')
      .fontSize(FONT_PT)
      .text(title, this.#left, this.#y + 2, { lineBreak: false })
    this.#line()
  }

  row(cells: readonly string[], font: 'regular' | 'bold' = 'regular'): void {
    this.#room(1)
    this.#doc.font(font).fontSize(FONT_PT)
    let left = this.#left
    for (const [i, { widthPt, align }] of this.#columns.entries()) {
      const text = this.#fitted(cells[i] ?? '', widthPt - 2 * PAD_PT)
      const indent = align === 'left' ? PAD_PT : widthPt - PAD_PT - this.#doc.widthOfString(text)
      if (text !== '') this.#doc.text(text, left + indent, this.#y + 2, { lineBreak: false })
      left += widthPt
    }
    this.#line()
  }

  /** Leaves the document's own pen below the last row. */
  end(): void {
    this.#doc.x = this.#left
    this.#doc.y = this.#y
  }

  get #left(): number {
    return this.#doc.page.margins.left
  }

  #head(): void {
    this.row(
      this.#columns.map((c) => c.title),
      'bold',
    )
  }

  #room(rows: number): void {
    const { height, margins } = this.#doc.page
    if (this.#y + rows * ROW_PT <= height - margins.bottom) return
    this.#doc.addPage()
    this.#y = this.#doc.page.margins.top
    this.#head()
  }

  #line(): void {
    this.#y += ROW_PT
    const right = this.#left + this.#columns.reduce((sum, c) => sum + c.widthPt, 0)
    this.#doc.moveTo(this.#left, this.#y).lineTo(right, this.#y).lineWidth(0.4).strokeColor('#999').stroke()
  }

  #fitted(text: string, widthPt: number): string {
    if (this.#doc.widthOfString(text) <= widthPt) return text
    let shown = text
    while (shown !== '' && this.#doc.widthOfString(`${shown}…`) > widthPt) shown = shown.slice(0, -1)
    return `${shown}…`
  }
}
