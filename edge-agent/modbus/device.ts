import type { DeviceProfile } from '#contract/profile.ts'
import { type BadReason, bad, type Reading } from '#contract/reading.ts'
import type { BusReply } from './bus.ts'
import { decode } from './decode.ts'
import { judge } from './judge.ts'
import { planReads, type Read } from './plan-reads.ts'
import { pointsOf } from './points.ts'
import type { ReadRequest } from './request.ts'

export type Device = {
  readonly structure: string
  readonly unit: number
  readonly reads: readonly Read[]
  /** Names in the metric catalogue, in the profile's order. */
  readonly metrics: readonly string[]
}

/** @throws Fault PROFILE_INVALID */
export function toDevice(settings: { structure: string; unit: number; leaves: number }, profile: DeviceProfile): Device {
  const points = pointsOf(profile, settings.leaves)
  const reads = planReads(points, { maxWords: profile.max_words })
  return { structure: settings.structure, unit: settings.unit, reads, metrics: points.map((p) => p.metric) }
}

/** Nobody is there to answer, so the device's other blocks are not asked for. */
const SILENT: ReadonlySet<BadReason> = new Set(['timeout', 'not_connected', 'exception_gateway'])

/** Reads a device once. @returns a reading of every metric: what could not be read is BAD with the reason. */
export async function readDevice(device: Device, read: (request: ReadRequest) => Promise<BusReply>): Promise<ReadonlyMap<string, Reading>> {
  const readings = new Map<string, Reading>()
  let silent: BadReason | null = null
  for (const block of device.reads) {
    const { space, address, words } = block
    const reply: BusReply = silent ? { kind: 'bad', reason: silent } : await read({ unit: device.unit, space, address, words })
    if (reply.kind === 'bad' && SILENT.has(reply.reason)) silent = reply.reason
    for (const point of block.points) {
      const from = point.address - block.address
      readings.set(
        point.metric,
        reply.kind === 'words' ? judge(point.metric, decode(reply.words.slice(from, from + point.words), point)) : bad(reply.reason),
      )
    }
  }
  return readings
}
