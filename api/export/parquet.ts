import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { Sample } from '#history/port.ts'
import { drawnValue, qualityName, verdictName } from './rows.ts'

const GROUP_ROWS = 50_000
const text = (name: string) => ({
  name,
  type: 'BYTE_ARRAY' as const,
  converted_type: 'UTF8' as const,
  repetition_type: 'REQUIRED' as const,
})
const SCHEMA = [
  { name: 'root', num_children: 6 },
  text('gate'),
  text('metric'),
  { name: 'time', type: 'INT64' as const, converted_type: 'TIMESTAMP_MILLIS' as const, repetition_type: 'REQUIRED' as const },
  { name: 'value', type: 'DOUBLE' as const, repetition_type: 'OPTIONAL' as const },
  text('quality'),
  text('verdict'),
]

/** Apache Parquet, one row a sample, times in UTC; a row group at a time is in memory. */
export async function* parquetOf(blocks: AsyncIterable<readonly Sample[]>): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({ writer: bytes, schema: SCHEMA })
  const taken = (): Uint8Array => {
    const copy = bytes.getBytes().slice()
    // The writer goes on counting its offset in the file; the room is used again.
    bytes.index = 0
    return copy
  }
  let group: Sample[] = []
  const flush = async (): Promise<Uint8Array> => {
    await writer.write({
      rowGroupSize: GROUP_ROWS,
      columnData: [
        { name: 'gate', data: group.map((s) => s.gate) },
        { name: 'metric', data: group.map((s) => s.metric) },
        { name: 'time', data: group.map((s) => BigInt(s.t)) },
        { name: 'value', data: group.map(drawnValue) },
        { name: 'quality', data: group.map((s) => qualityName(s.reading)) },
        { name: 'verdict', data: group.map(verdictName) },
      ],
    })
    group = []
    return taken()
  }
  for await (const block of blocks) {
    group.push(...block)
    if (group.length >= GROUP_ROWS) yield await flush()
  }
  if (group.length > 0) yield await flush()
  await writer.finish()
  yield taken()
}
