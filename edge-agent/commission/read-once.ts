import type { Reading } from '#contract/reading.ts'
import type { Bus, BusReply } from '../modbus/bus.ts'
import { type Device, readDevice } from '../modbus/device.ts'
import type { ReadRequest } from '../modbus/request.ts'

/** One cycle of one device as a person wants to see it: the raw words beside what they became. */

export type MetricRead = {
  readonly metric: string
  readonly space: string
  readonly address: number
  /** null where no reply came. */
  readonly words: readonly number[] | null
  readonly reading: Reading
}
export type DeviceRead = {
  readonly structure: string
  readonly unit: number
  readonly metrics: readonly MetricRead[]
  readonly requests: number
  readonly took_ms: number
}

type Exchange = { readonly request: ReadRequest; readonly reply: BusReply }

export async function readOnce(device: Device, bus: Pick<Bus, 'read'>): Promise<DeviceRead> {
  const began = performance.now()
  const exchanges: Exchange[] = []
  const readings = await readDevice(device, async (request) => {
    const reply = await bus.read(request)
    exchanges.push({ request, reply })
    return reply
  })
  const metrics = [...readings].flatMap(([metric, reading]) => {
    const point = device.points.find((p) => p.metric === metric)
    if (!point) return []
    return [{ metric, space: point.space, address: point.address, words: wordsAt(exchanges, point), reading }]
  })
  return { structure: device.structure, unit: device.unit, metrics, requests: exchanges.length, took_ms: performance.now() - began }
}

function wordsAt(exchanges: readonly Exchange[], p: { space: string; address: number; words: number }): number[] | null {
  for (const { request, reply } of exchanges) {
    const from = p.address - request.address
    if (reply.kind === 'words' && request.space === p.space && from >= 0 && from + p.words <= request.words) {
      return reply.words.slice(from, from + p.words)
    }
  }
  return null
}
