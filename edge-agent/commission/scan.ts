import { type DeviceProfile, SPACES, type Space } from '#contract/profile.ts'
import type { BadReason } from '#contract/reading.ts'
import type { Bus } from '../modbus/bus.ts'
import { readDevice, toDevice } from '../modbus/device.ts'

/** Asks each unit of a bus whether it is there, and what it answers to. Reads only. */

export type UnitFound = {
  readonly unit: number
  /** What a read of the first address of each space came to: `ok`, or the reason why not. */
  readonly answers: Readonly<Record<Space, 'ok' | BadReason>>
  /** Profiles that read it without a refusal, with how many of their metrics were GOOD; the best first. */
  readonly fits: readonly { readonly profile: string; readonly good: number; readonly of: number }[]
  readonly took_ms: number
}

export type ScanPlan = {
  readonly units: readonly number[]
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  readonly signal: AbortSignal
  /** Before each unit. */
  readonly progress: (unit: number, done: number) => void
  readonly found: (unit: UnitFound) => void
}

/** Nobody has answered; a gateway says so by exceptions 10 and 11. Everything else is somebody's word. */
const NOBODY: ReadonlySet<BadReason> = new Set(['timeout', 'not_connected', 'exception_gateway'])

/** @returns the units that answered, and whether the bus could be reached at all. */
export async function scanBus(bus: Pick<Bus, 'read'>, plan: ScanPlan): Promise<{ found: UnitFound[]; reached: boolean }> {
  const found: UnitFound[] = []
  let reached = false
  for (const [done, unit] of plan.units.entries()) {
    if (plan.signal.aborted) break
    plan.progress(unit, done)
    const began = performance.now()
    const first = await ask(bus, unit, 'holding')
    if (first !== 'not_connected') reached = true
    if (first !== 'ok' && NOBODY.has(first)) continue
    const answers = { holding: first, input: first, coil: first, discrete: first }
    for (const space of SPACES.slice(1)) answers[space] = await ask(bus, unit, space)
    const one = { unit, answers, fits: await fitsOf(bus, unit, plan.profiles), took_ms: Math.round(performance.now() - began) }
    found.push(one)
    plan.found(one)
  }
  return { found, reached }
}

async function ask(bus: Pick<Bus, 'read'>, unit: number, space: Space): Promise<'ok' | BadReason> {
  const reply = await bus.read({ unit, space, address: 0, words: 1 })
  return reply.kind === 'words' ? 'ok' : reply.reason
}

async function fitsOf(bus: Pick<Bus, 'read'>, unit: number, profiles: ReadonlyMap<string, DeviceProfile>): Promise<UnitFound['fits']> {
  const fits: { profile: string; good: number; of: number }[] = []
  for (const [name, profile] of profiles) {
    const readings = [...(await readDevice(toDevice({ structure: 'unknown', unit, leaves: 1 }, profile), (r) => bus.read(r))).values()]
    const refused = readings.some((r) => r.quality === 'bad' && (r.reason.startsWith('exception') || NOBODY.has(r.reason)))
    const good = readings.filter((r) => r.quality === 'good').length
    if (!refused && good > 0) fits.push({ profile: name, good, of: readings.length })
  }
  return fits.toSorted((a, b) => b.good / b.of - a.good / a.of || b.of - a.of)
}

/** `1-32,50`: in order, each once. @returns undefined for anything else. */
export function parseUnits(text: string): number[] | undefined {
  const units = new Set<number>()
  for (const part of text.split(',')) {
    const match = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part.trim())
    const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
    if (!match || from > to || to > 255) return undefined
    for (let unit = from; unit <= to; unit++) units.add(unit)
  }
  return [...units].sort((a, b) => a - b)
}
