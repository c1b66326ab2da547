import { strToU8, Zip, ZipDeflate } from 'fflate'
import type { Sample } from '#history/port.ts'
import { COLUMNS } from './csv.ts'
import { drawnValue, qualityName, verdictName } from './rows.ts'

/** A sheet holds 1 048 576 rows; then there is another. */
const SHEET_ROWS = 1_000_000
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
const KIND = 'application/vnd.openxmlformats-officedocument.spreadsheetml'
/** Days since 1899-12-30, which is how a sheet holds a time. */
const serialOf = (t: number, offsetMin: number): number => (t + offsetMin * 60_000) / 86_400_000 + 25_569

/** Office Open XML written as it is read: the sheets first, and last the workbook that says how many there are. */
export async function* xlsxOf(blocks: AsyncIterable<readonly Sample[]>, offsetMin: number): AsyncGenerator<Uint8Array> {
  const done: Uint8Array[] = []
  let failed: Error | null = null
  const zip = new Zip((error, chunk) => {
    if (error) failed = error
    else done.push(chunk)
  })
  const entry = (name: string): ZipDeflate => {
    const file = new ZipDeflate(name, { level: 1 })
    zip.add(file)
    return file
  }
  const whole = (name: string, xml: string): void => entry(name).push(strToU8(xml), true)
  const drained = (): Uint8Array[] => {
    if (failed) throw failed
    return done.splice(0)
  }

  let sheets = 0
  let rows = SHEET_ROWS
  let sheet: ZipDeflate | null = null
  const endSheet = (): void => {
    sheet?.push(strToU8('</sheetData></worksheet>'), true)
    sheet = null
  }
  const beginSheet = (): ZipDeflate => {
    endSheet()
    sheets++
    rows = 0
    const begun = entry(`xl/worksheets/sheet${sheets}.xml`)
    begun.push(
      strToU8(
        `${XML}<worksheet xmlns="${MAIN}"><cols><col min="3" max="3" width="24" customWidth="1"/></cols><sheetData>${rowOf(COLUMNS.map(textCell))}`,
      ),
    )
    return begun
  }
  for await (const block of blocks) {
    for (let start = 0; start < block.length; ) {
      if (!sheet || rows >= SHEET_ROWS) sheet = beginSheet()
      const part = block.slice(start, start + SHEET_ROWS - rows)
      sheet.push(strToU8(part.map((s) => sampleRow(s, offsetMin)).join('')))
      start += part.length
      rows += part.length
    }
    yield* drained()
  }
  if (sheets === 0) sheet = beginSheet()
  endSheet()
  for (const [name, xml] of packageParts(Array.from({ length: sheets }, (_, i) => `samples ${i + 1}`))) whole(name, xml)
  zip.end()
  yield* drained()
}

/** Everything of a workbook but its sheets, `xl/worksheets/sheet1.xml` and so on. */
export function packageParts(sheetNames: readonly string[]): [name: string, xml: string][] {
  const numbers = sheetNames.map((_, i) => i + 1)
  const sheets = sheetNames.map((name, i) => `<sheet name="${escapeXml(name)}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`).join('')
  const parts: [name: string, xml: string][] = [
    [
      'xl/styles.xml',
      `<styleSheet xmlns="${MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss.000"/></numFmts><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>`,
    ],
    ['xl/workbook.xml', `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets>${sheets}</sheets></workbook>`],
    [
      'xl/_rels/workbook.xml.rels',
      `<Relationships xmlns="${PACKAGE}/relationships">${numbers.map((n) => `<Relationship Id="rId${n}" Type="${RELATIONS}/worksheet" Target="worksheets/sheet${n}.xml"/>`).join('')}<Relationship Id="rIdStyles" Type="${RELATIONS}/styles" Target="styles.xml"/></Relationships>`,
    ],
    [
      '_rels/.rels',
      `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    ],
    [
      '[Content_Types].xml',
      `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="${KIND}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${KIND}.styles+xml"/>${numbers.map((n) => `<Override PartName="/xl/worksheets/sheet${n}.xml" ContentType="${KIND}.worksheet+xml"/>`).join('')}</Types>`,
    ],
  ]
  return parts.map(([name, xml]) => [name, XML + xml])
}

/** A sheet of rows that are few enough to be in memory. */
export const sheetOf = (rows: string): string => `${XML}<worksheet xmlns="${MAIN}"><sheetData>${rows}</sheetData></worksheet>`

export const rowOf = (cells: readonly string[]): string => `<row>${cells.join('')}</row>`
const escapeXml = (text: string): string => text.replace(/[<>&]/g, (c) => `&#${c.charCodeAt(0)};`)
export const textCell = (text: string): string => (text === '' ? '<c/>' : `<c t="inlineStr"><is><t>${escapeXml(text)}</t></is></c>`)
export const numberCell = (value: number | null): string => (value === null ? '<c/>' : `<c><v>${value}</v></c>`)
const sampleRow = (s: Sample, offsetMin: number): string =>
  rowOf([
    textCell(s.gate),
    textCell(s.metric),
    `<c s="1"><v>${serialOf(s.t, offsetMin)}</v></c>`,
    numberCell(s.t),
    numberCell(drawnValue(s)),
    textCell(qualityName(s.reading)),
    textCell(verdictName(s)),
  ])
