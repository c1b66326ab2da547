import { styleText } from 'node:util'
import { wrap } from '#edge-agent/commission/table.ts'

/** Where a command of the field engineer writes: a terminal of some width, or JSON for a program. */
export type Output = {
  readonly json: boolean
  readonly columns: number
  /** For a person; nothing with --json. */
  say(text: string | readonly string[]): void
  /** For a program; nothing without --json. One line each. */
  tell(value: unknown): void
  /** What goes on, to standard error, on a terminal alone. */
  progress(text: string): void
  bold(text: string): string
  good(text: string): string
  warn(text: string): string
}

/** So wide is what is written into a file or a pipe. */
const NO_TERMINAL = 100
type Style = Parameters<typeof styleText>[0]

export function openOutput(options: { readonly json?: boolean }): Output {
  const { stdout, stderr } = process
  const json = options.json === true
  const columns = stdout.isTTY ? stdout.columns : Number(process.env['COLUMNS'] ?? NO_TERMINAL) || NO_TERMINAL
  const coloured = stdout.isTTY && process.env['NO_COLOR'] === undefined
  const style = (how: Style) => (text: string) => (coloured ? styleText(how, text) : text)
  return {
    json,
    columns,
    say: (text) => {
      if (json) return
      for (const line of typeof text === 'string' ? wrap(text, columns, '  ') : text) stdout.write(`${line}\n`)
    },
    tell: (value) => {
      if (json) stdout.write(`${JSON.stringify(value)}\n`)
    },
    progress: (text) => {
      if (!json && stderr.isTTY) stderr.write(`\r\u001b[2K${text.slice(0, columns - 1)}`)
    },
    bold: style('bold'),
    good: style('green'),
    warn: style('yellow'),
  }
}

/** The command did its work, and what it found is not as it should be. 1 is a fault of the command itself. */
export function foundWanting(): void {
  process.exitCode = 2
}
