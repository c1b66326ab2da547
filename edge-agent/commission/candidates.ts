import { isBitSpace, registersOf, type Space, WORD_ORDERS, WORD_TYPES, type WordOrder, type WordType } from '#contract/profile.ts'
import { rawNumber } from '../modbus/decode.ts'

/** What raw words could mean: each type and word order at each place, and which of them look like a gauge. Pure. */

export type Candidate = {
  /** Protocol address of the first register. */
  readonly address: number
  readonly type: WordType
  readonly order: WordOrder
  /** Before any scale. */
  readonly raw: number
  /** The quantities that it could be, each with the scale that makes it so. */
  readonly plausible: readonly Plausible[]
}
export type Quantity = 'level' | 'opening' | 'flow'
export type Plausible = { readonly quantity: Quantity; readonly scale: number; readonly value: number }

/** What a gauge of an irrigation district shows on an ordinary day, in m, m and m³/s: far narrower than what is possible. */
const ORDINARY: Record<Quantity, readonly [min: number, max: number]> = { level: [0.05, 20], opening: [0.005, 6], flow: [0.02, 600] }
/** Metres, centimetres, millimetres; a float is in its unit already, or in one of these. */
const LENGTH_SCALES = [1, 0.01, 0.001]
const FLOW_SCALES = [1, 0.1, 0.01, 0.001]
/** Scales that makers use: decimal steps, feet, cubic metres an hour. Simple ones first. */
const KNOWN_SCALES: readonly number[] = [1, 0.001, 0.01, 0.1, 0.0001, 10, 0.3048, 1 / 3600]

/** One register has its bytes in one of two orders. */
const ONE_REGISTER: readonly WordOrder[] = ['ABCD', 'BADC']
const isFloat = (type: WordType): boolean => type.includes('float')

/** @returns the candidates that a run of words holds, in the order of address, type and word order. */
export function candidatesOf(words: readonly number[], first: number, space: Space): Candidate[] {
  if (isBitSpace(space)) {
    return words.map((bit, i) => ({ address: first + i, type: 'bit' as const, order: 'ABCD' as const, raw: bit, plausible: [] }))
  }
  const found: Candidate[] = []
  for (const [i] of words.entries()) {
    for (const type of WORD_TYPES) {
      const length = registersOf(type)
      if (type === 'bit' || type === 'bits' || i + length > words.length) continue
      for (const order of length === 1 ? ONE_REGISTER : WORD_ORDERS) {
        const raw = rawNumber(words.slice(i, i + length), { type, order, bit: 0, bits: 16, space })
        found.push({ address: first + i, type, order, raw, plausible: plausibleOf(raw, type) })
      }
    }
  }
  return found
}

function plausibleOf(raw: number, type: WordType): Plausible[] {
  if (!Number.isFinite(raw) || raw === 0) return []
  const scalesOf = (quantity: Quantity): readonly number[] =>
    isFloat(type) ? [1] : quantity === 'flow' ? FLOW_SCALES : LENGTH_SCALES.slice(1)
  return (['level', 'opening', 'flow'] as const).flatMap((quantity) => {
    const [min, max] = ORDINARY[quantity]
    const scale = scalesOf(quantity).findLast((s) => raw * s >= min && raw * s <= max)
    return scale === undefined ? [] : [{ quantity, scale, value: raw * scale }]
  })
}

export type Match = Candidate & { readonly scale: number; readonly value: number; readonly off: number }

/**
 * The candidates that, with one of the scales makers use, show what the staff gauge shows; the best first.
 * @param near what was read by eye, in the unit wanted.
 * @param within how far off a match may be, in the same unit.
 */
export function rankNear(candidates: readonly Candidate[], near: number, within: number): Match[] {
  const matches = candidates.flatMap((c) =>
    KNOWN_SCALES.flatMap((scale, simplicity) => {
      const value = c.raw * scale
      const off = Math.abs(value - near)
      // A scale of 1 on a whole number is a staff gauge read in its own steps: it says nothing that 0.01 does not.
      return Number.isFinite(value) && off <= within
        ? [{ match: { ...c, scale, value, off }, cost: costOf(c, simplicity, off / within) }]
        : []
    }),
  )
  return matches.toSorted((a, b) => a.cost - b.cost).map((m) => m.match)
}

/** A near hit by a usual reading beats a nearer one by a rare one: many readings of noise hit something by chance. */
function costOf(c: Candidate, simplicity: number, share: number): number {
  const order = c.order === 'ABCD' ? 0 : c.order === 'CDAB' ? 0.1 : 0.4
  const wide = registersOf(c.type) > 2 ? 1 : 0
  const integer = isFloat(c.type) ? 0 : registersOf(c.type) === 1 ? 0.1 : 0.5
  return share + order + wide + integer + simplicity * (isFloat(c.type) ? 0.5 : 0.15)
}

/** The line for a profile. */
export function pointLine(m: {
  readonly address: number
  readonly type: WordType
  readonly order: WordOrder
  readonly scale: number
  readonly space: Space
}): string {
  const parts = [
    'metric: level_up',
    ...(m.space === 'holding' ? [] : [`space: ${m.space}`]),
    `address: ${m.address}`,
    `type: ${m.type}`,
    ...(registersOf(m.type) > 1 || m.order !== 'ABCD' ? [`order: ${m.order}`] : []),
    ...(m.scale === 1 ? [] : [`scale: ${Number(m.scale.toPrecision(9))}`]),
  ]
  return `- { ${parts.join(', ')} }`
}
