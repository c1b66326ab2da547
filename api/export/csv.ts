import type { Sample } from '#history/port.ts'
import { drawnValue, localTime, qualityName, verdictName } from './rows.ts'

export const COLUMNS = ['gate', 'metric', 'time', 'time_ms', 'value', 'quality', 'verdict'] as const

/** RFC 4180, one line a sample. Ids and names of the catalogue need no quotes. */
export async function* csvOf(blocks: AsyncIterable<readonly Sample[]>, offsetMin: number): AsyncGenerator<string> {
  const time = localTime(offsetMin)
  yield `${COLUMNS.join(',')}\r\n`
  for await (const block of blocks) {
    let text = ''
    for (const s of block)
      text += `${s.gate},${s.metric},${time(s.t)},${s.t},${drawnValue(s) ?? ''},${qualityName(s.reading)},${verdictName(s)}\r\n`
    yield text
  }
}
