import { setTimeout as sleep } from 'node:timers/promises'
import type { DeviceProfile, WordOrder } from '#contract/profile.ts'
import { type BadReason, bad, type Reading } from '#contract/reading.ts'
import type { BusReply } from './bus.ts'
import { evaluate, type Look } from './evaluate.ts'
import { planReads, type Read, splitRead } from './plan-reads.ts'
import { type Choice, type Point, pointsOf, type Span, spanOf } from './points.ts'
import type { ReadRequest } from './request.ts'

export type Device = {
  readonly structure: string
  readonly unit: number
  readonly points: readonly Point[]
  /** Names in the metric catalogue, in the profile's order. */
  readonly metrics: readonly string[]
  readonly endian: (Span & { readonly orders: Readonly<Record<string, WordOrder>> }) | null
  readonly busy: (Span & { readonly idle: number; readonly wait_ms: number; readonly tries: number }) | null
  /** What is asked for, one request each. A block that the device refused stands here in the parts that it gives. */
  readonly blocks: Read[]
}

/** @throws Fault PROFILE_INVALID */
export function toDevice(settings: { readonly structure: string; readonly unit: number } & Choice, profile: DeviceProfile): Device {
  const points = pointsOf(profile, settings)
  const { endian, busy } = profile
  const needed: Span[] = [...points, ...points.flatMap((p) => [...p.units, ...p.conditions])]
  const endianSpan = endian ? { ...spanOf(profile, endian), orders: endian.orders } : null
  const limits = {
    maxWords: profile.max_words,
    maxGap: profile.max_gap,
    borders: profile.borders.map((address) => address - profile.address_base),
  }
  return {
    structure: settings.structure,
    unit: settings.unit,
    points,
    metrics: points.map((p) => p.metric),
    endian: endianSpan,
    busy: busy ? { ...spanOf(profile, busy), idle: busy.idle, wait_ms: busy.wait_ms, tries: busy.tries } : null,
    blocks: planReads(endianSpan ? [...needed, endianSpan] : needed, limits),
  }
}

/** Nobody is there to answer. */
const SILENT: ReadonlySet<BadReason> = new Set(['timeout', 'not_connected', 'exception_gateway'])
export const isSilence = (reply: BusReply): boolean => reply.kind === 'bad' && SILENT.has(reply.reason)
/** MB §7: the device does not have all of these registers, or not so many at once. */
const REFUSED: ReadonlySet<BadReason> = new Set(['exception_illegal_address', 'exception_illegal_value'])

export type Ask = (request: ReadRequest) => Promise<BusReply>
type Answered = { readonly block: Read; readonly reply: BusReply }

/** Reads a device once. @returns a reading of every metric: what could not be read is BAD with the reason. */
export async function readDevice(device: Device, ask: Ask): Promise<ReadonlyMap<string, Reading>> {
  const busy = await untilIdle(device, ask)
  if (busy !== null) return new Map(device.metrics.map((metric) => [metric, bad(busy)]))
  const answers = await readBlocks(device, ask)
  const look = lookIn(answers)
  const order = orderOf(device, look)
  if (typeof order === 'object') return new Map(device.metrics.map((metric) => [metric, bad(order.reason)]))
  return new Map(device.points.map((point) => [point.metric, evaluate(point, look, order === 'own' ? null : order)]))
}

/** @returns why the values can't be read now, or null when they can. */
async function untilIdle({ unit, busy }: Device, ask: Ask): Promise<BadReason | null> {
  if (!busy) return null
  const { space, address, words } = busy
  for (let tried = 1; ; tried++) {
    const reply = await ask({ unit, space, address, words })
    if (reply.kind === 'bad') return reply.reason
    if (reply.words[0] === busy.idle) return null
    if (tried >= busy.tries) return 'exception_busy'
    await sleep(busy.wait_ms)
  }
}

async function readBlocks(device: Device, ask: Ask): Promise<Answered[]> {
  const answers: Answered[] = []
  for (const block of [...device.blocks]) {
    const [first] = answers
    // Who did not answer the first is not asked for the others. Who did may still be silent about one block: some are, instead of refusing it.
    if (first && isSilence(first.reply)) answers.push({ block, reply: first.reply })
    else answers.push(...(await readBlock(device, block, ask)))
  }
  return answers
}

async function readBlock(device: Device, block: Read, ask: Ask): Promise<Answered[]> {
  const { space, address, words } = block
  const reply = await ask({ unit: device.unit, space, address, words })
  const halves = reply.kind === 'bad' && REFUSED.has(reply.reason) ? splitRead(block) : null
  if (!halves) return [{ block, reply }]
  const parts: Answered[] = []
  for (const half of halves) parts.push(...(await readBlock(device, half, ask)))
  // Who refuses every part refuses more than the length: a device that starts up, a wrong unit.
  if (parts.every((p) => p.reply.kind === 'bad')) return [{ block, reply }]
  const at = device.blocks.indexOf(block)
  if (at >= 0) device.blocks.splice(at, 1, ...parts.map((p) => p.block))
  return parts
}

function lookIn(answers: readonly Answered[]): Look {
  return ({ space, address, words }) => {
    const found = answers.find(
      (a) => a.block.space === space && a.block.address <= address && address + words <= a.block.address + a.block.words,
    )
    if (!found) return 'no_value'
    if (found.reply.kind === 'bad') return found.reply.reason
    const from = address - found.block.address
    return found.block.words === words ? found.reply.words : found.reply.words.slice(from, from + words)
  }
}

/** @returns the order that the device says it sends in, 'own' where each point knows its own, or why that is not known. */
function orderOf({ endian }: Device, look: Look): WordOrder | 'own' | { reason: BadReason } {
  if (!endian) return 'own'
  const words = look(endian)
  if (typeof words === 'string') return { reason: words }
  return endian.orders[String(words[0])] ?? { reason: 'sensor_fault' }
}
