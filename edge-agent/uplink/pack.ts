import { deflateSync } from 'node:zlib'
import { encodePacked, encodePayload, type SparkplugMetric } from '#contract/sparkplug/payload.ts'

/** Below this the wrapping costs more than deflating saves. */
const LEAST_BYTES = 100

/** Data as they go out: by the birth's types, and deflated where both ends have agreed and it is smaller so. */
export function packData(
  message: { timestamp: number; seq: number; metrics: SparkplugMetric[] },
  options: { deflate: boolean },
): Uint8Array {
  const plain = encodePayload(message, { datatypes: 'left to the birth' })
  if (!options.deflate || plain.length < LEAST_BYTES) return plain
  const { timestamp, seq, metrics } = message
  const body = deflateSync(encodePayload({ metrics }, { datatypes: 'left to the birth' }), { level: 9 })
  const packed = encodePacked({ timestamp, seq, body })
  return packed.length < plain.length ? packed : plain
}
