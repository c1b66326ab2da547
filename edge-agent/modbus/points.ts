import { Fault } from '#contract/fault.ts'
import { metricOf, openingOfLeaf } from '#contract/metrics.ts'
import type { DeviceProfile, ProfilePoint, WordOrder, WordType } from '#contract/profile.ts'

/** What a point reads: registers by FC 3 and 4, single bits by FC 1 and 2. */
export type Space = 'holding' | 'input' | 'coil' | 'discrete'
export const isBitSpace = (space: Space): boolean => space === 'coil' || space === 'discrete'

/** One value of a device: where it lies and how it becomes a number in the unit of the metric catalogue. */
export type Point = {
  readonly metric: string
  readonly space: Space
  /** Protocol address, 0-based. */
  readonly address: number
  /** Registers, or bits in a bit space. */
  readonly words: number
  readonly type: WordType
  /** Of a register, with type bit; 0 is the least. */
  readonly bit: number
  readonly order: WordOrder
  readonly scale: number
  readonly offset: number
}

export const wordsOf = (type: WordType): number => (type === 'int32' || type === 'uint32' || type === 'float32' ? 2 : 1)

/**
 * The points of one structure: the profile's own, then those of each leaf.
 * @throws Fault PROFILE_INVALID for a point that can't be read or stands for no metric of the catalogue.
 */
export function pointsOf(profile: DeviceProfile, leaves: number): Point[] {
  const points = profile.points.map((p) => toPoint(p, p.metric, p.address))
  const { leaf } = profile
  if (leaf) {
    for (let k = 1; k <= leaves; k++) {
      const first = leaf.first_address + (k - 1) * leaf.stride
      points.push(...leaf.points.map((p) => toPoint(p, p.metric === 'opening' ? openingOfLeaf(k) : p.metric, first + p.address)))
    }
  }
  const mistakes = mistakesIn(points, profile.max_words)
  if (mistakes.length > 0) {
    throw new Fault('PROFILE_INVALID', `profile ${profile.name}: ${mistakes.join('; ')}`, 'correct the profile or the number of leaves')
  }
  return points
}

function toPoint(p: ProfilePoint, metric: string, address: number): Point {
  const { space, type, order, scale, offset } = p
  return { metric, space, address, words: wordsOf(type), type, bit: p.bit ?? 0, order, scale, offset }
}

function mistakesIn(points: readonly Point[], maxWords: number): string[] {
  const mistakes: string[] = []
  const seen = new Set<string>()
  for (const p of points) {
    if (!metricOf(p.metric)) mistakes.push(`${p.metric} is not in the metric catalogue`)
    if (seen.has(p.metric)) mistakes.push(`${p.metric} stands twice`)
    seen.add(p.metric)
    if (p.address + p.words > 65_536) mistakes.push(`${p.metric}: address ${p.address} is beyond 65535`)
    if (p.words > maxWords) mistakes.push(`${p.metric}: ${p.type} is longer than the longest read (max_words ${maxWords})`)
    if (isBitSpace(p.space) && p.type !== 'bit') mistakes.push(`${p.metric}: a ${p.space} holds a bit, not ${p.type}`)
  }
  return mistakes
}
