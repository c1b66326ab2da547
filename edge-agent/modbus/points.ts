import { Fault } from '#contract/fault.ts'
import { metricOf, openingOfLeaf } from '#contract/metrics.ts'
import {
  type DeviceProfile,
  isBitSpace,
  type PointOverride,
  type ProfilePoint,
  registersOf,
  type Space,
  type WordOrder,
  type WordType,
} from '#contract/profile.ts'
import type { BadReason } from '#contract/reading.ts'

/** Registers side by side, or bits in a bit space. */
export type Span = {
  readonly space: Space
  /** Protocol address, 0-based. */
  readonly address: number
  readonly words: number
}
export type UnitRegister = Span & {
  readonly factors: Readonly<Record<string, number>>
  readonly offsets: Readonly<Record<string, number>>
}
/** `bit` is null where the whole register counts. */
export type Condition = Span & { readonly bit: number | null; readonly is: number; readonly otherwise: BadReason }
export type Pair = readonly [shown: number, real: number]

/** One value of a device: where it lies and how it becomes a number in the unit of the metric catalogue. */
export type Point = Span & {
  readonly metric: string
  readonly type: WordType
  /** Of a register, with type bit or bits; 0 is the least. */
  readonly bit: number
  readonly bits: number
  readonly order: WordOrder
  readonly scale: number
  readonly offset: number
  readonly units: readonly UnitRegister[]
  readonly calibration: readonly [Pair, Pair] | null
  readonly range: readonly [min: number, max: number] | null
  readonly missing: readonly number[]
  readonly conditions: readonly Condition[]
}

export type Choice = {
  readonly leaves: number
  readonly points?: Readonly<Record<string, PointOverride>>
  readonly omit?: readonly string[]
}

/**
 * The points of one structure: the profile's own, then those of each leaf, as the site wants them.
 * @throws Fault PROFILE_INVALID for a point that can't be read or stands for no metric of the catalogue.
 */
export function pointsOf(profile: DeviceProfile, { leaves, points: overrides = {}, omit = [] }: Choice): Point[] {
  const all = profile.points.map((p) => ({ ...p, from: 0 }))
  const { leaf } = profile
  if (leaf) {
    for (let k = 1; k <= leaves; k++) {
      const from = leaf.first_address + (k - 1) * leaf.stride
      all.push(...leaf.points.map((p) => ({ ...p, from, metric: p.metric === 'opening' ? openingOfLeaf(k) : p.metric })))
    }
  }
  const unknown = [...Object.keys(overrides), ...omit].filter((metric) => !all.some((p) => p.metric === metric))
  const points = all.filter((p) => !omit.includes(p.metric)).map((p) => toPoint(profile, p, overrides[p.metric] ?? {}))
  const mistakes = [...unknown.map((metric) => `it has no ${metric}`), ...mistakesIn(points, profile.max_words)]
  if (mistakes.length > 0) {
    throw new Fault(
      'PROFILE_INVALID',
      `profile ${profile.name}: ${mistakes.join('; ')}`,
      'correct the profile, its overrides or the number of leaves',
    )
  }
  return points
}

/** A register that the profile names, as it is addressed on the wire. */
export function spanOf(profile: DeviceProfile, at: { readonly space: Space; readonly address: number }, words = 1): Span {
  return { space: at.space, address: at.address - profile.address_base, words }
}

function toPoint(profile: DeviceProfile, p: ProfilePoint & { readonly from: number }, { as, ...over }: PointOverride): Point {
  const merged = { ...p, ...over }
  const at = (register: { readonly space: Space; readonly address: number }, words = 1): Span =>
    spanOf(profile, { space: register.space, address: p.from + register.address }, words)
  const span = at(merged, registersOf(merged.type))
  // No spread: V8 gives each object made by one a hidden class of its own, and reading the points of many devices is then seven times slower.
  return {
    space: span.space,
    address: span.address,
    words: span.words,
    metric: as ?? p.metric,
    type: merged.type,
    bit: merged.bit ?? 0,
    bits: merged.bits ?? 16 - (merged.bit ?? 0),
    order: merged.order,
    scale: merged.scale,
    offset: merged.offset,
    units: (p.units ?? []).map((u) => ({ ...at(u), factors: u.factors, offsets: u.offsets ?? {} })),
    calibration: merged.calibration ?? null,
    range: merged.range ?? null,
    missing: p.missing ?? [],
    conditions: (p.valid_when ?? []).map((c) => ({ ...at(c), bit: c.bit ?? null, is: c.is, otherwise: c.otherwise })),
  }
}

function mistakesIn(points: readonly Point[], maxWords: number): string[] {
  const mistakes: string[] = []
  const seen = new Set<string>()
  for (const p of points) {
    if (!metricOf(p.metric)) mistakes.push(`${p.metric} is not in the metric catalogue`)
    if (seen.has(p.metric)) mistakes.push(`${p.metric} stands twice`)
    seen.add(p.metric)
    if (p.address < 0) mistakes.push(`${p.metric}: the first address is 1`)
    if (p.address + p.words > 65_536) mistakes.push(`${p.metric}: address ${p.address} is beyond 65535`)
    if (p.words > maxWords) mistakes.push(`${p.metric}: ${p.type} is longer than the longest read (max_words ${maxWords})`)
    if (isBitSpace(p.space) && p.type !== 'bit') mistakes.push(`${p.metric}: a ${p.space} holds a bit, not ${p.type}`)
    if (p.bit + p.bits > 16) mistakes.push(`${p.metric}: a register has no bit ${p.bit + p.bits - 1}`)
    if (p.calibration && p.calibration[0][0] === p.calibration[1][0])
      mistakes.push(`${p.metric}: both calibration pairs show ${p.calibration[0][0]}`)
  }
  return mistakes
}
