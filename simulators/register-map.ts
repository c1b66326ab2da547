import { Fault } from '#contract/fault.ts'
import type { DeviceProfile, ProfilePoint, WordOrder } from '#contract/profile.ts'

/** What a gate RTU would show, in the units of the metric catalogue; a metric that is missing is served as NaN or 0. */
export type RtuState = { readonly values: Readonly<Record<string, number>>; readonly leaves: readonly LeafState[] }
export type LeafState = {
  readonly values: Readonly<Record<string, number>>
  /** Words that are no metric, by address relative to the leaf's first register: commands, motor. */
  readonly words: Readonly<Record<number, number>>
}

export type RegisterSpace = 'holding' | 'input'
/** The registers from address 0 to the last that exists; those that the profile does not name are 0. An empty space does not exist. */
export type RegisterImage = { readonly [S in RegisterSpace]: readonly number[] }

/** @throws Fault PROFILE_INVALID for a profile of coils: the simulators serve registers. */
export function refuseCoils(profile: DeviceProfile): void {
  const coil = [...profile.points, ...(profile.leaf?.points ?? [])].find((p) => p.space === 'coil' || p.space === 'discrete')
  if (!coil) return
  const what = `profile ${profile.name} reads ${coil.metric} as ${coil.space}, and the simulators serve registers only`
  throw new Fault('PROFILE_INVALID', what, 'simulate with a profile of holding or input registers')
}

/** The words that a device of this profile answers with in this state. */
export function imageOf(profile: DeviceProfile, state: RtuState): RegisterImage {
  const image = {
    holding: Array.from<number>({ length: extentOf(profile, 'holding', state.leaves.length) }).fill(0),
    input: Array.from<number>({ length: extentOf(profile, 'input', state.leaves.length) }).fill(0),
  }
  const place = (point: ProfilePoint, base: number, value: number): void => {
    const words = point.space === 'input' ? image.input : image.holding
    const at = base + point.address
    if (point.type === 'bit') {
      words[at] = (words[at] ?? 0) | ((value >= 0.5 ? 1 : 0) << (point.bit ?? 0))
      return
    }
    for (const [i, word] of wordsOf(point, value).entries()) words[at + i] = word
  }
  for (const point of profile.points) place(point, 0, state.values[point.metric] ?? Number.NaN)
  const { leaf } = profile
  if (!leaf) return image
  for (const [i, { values, words }] of state.leaves.entries()) {
    const base = leaf.first_address + i * leaf.stride
    for (const [relative, word] of Object.entries(words)) {
      if (Number(relative) < leaf.stride) image.holding[base + Number(relative)] = word
    }
    for (const point of leaf.points) place(point, base, values[point.metric] ?? Number.NaN)
  }
  return image
}

function extentOf(profile: DeviceProfile, space: RegisterSpace, leaves: number): number {
  const own = profile.points.filter((p) => p.space === space).map((p) => p.address + lengthOf(p))
  const { leaf } = profile
  const repeated = leaf && (space === 'holding' || leaf.points.some((p) => p.space === space))
  return Math.max(0, ...own, repeated ? leaf.first_address + leaf.stride * leaves : 0)
}

/** Registers that a point takes. */
export const lengthOf = ({ type }: Pick<ProfilePoint, 'type'>): 1 | 2 => (type === 'bit' || type === 'int16' || type === 'uint16' ? 1 : 2)

/** The registers of a value: scaled back to the raw number, held within the type, in the point's word order. */
export function wordsOf(point: Pick<ProfilePoint, 'type' | 'scale' | 'offset' | 'order'>, value: number): number[] {
  const raw = (value - point.offset) / point.scale
  const view = new DataView(new ArrayBuffer(4))
  switch (point.type) {
    case 'bit':
      return [raw >= 0.5 ? 1 : 0]
    case 'int16':
      view.setInt16(0, held(raw, -0x8000, 0x7fff))
      return [view.getUint16(0)]
    case 'uint16':
      return [held(raw, 0, 0xffff)]
    case 'int32':
      view.setInt32(0, held(raw, -0x8000_0000, 0x7fff_ffff))
      break
    case 'uint32':
      view.setUint32(0, held(raw, 0, 0xffff_ffff))
      break
    case 'float32':
      view.setFloat32(0, raw)
      break
  }
  return ordered(view.getUint16(0), view.getUint16(2), point.order)
}

const held = (raw: number, min: number, max: number): number => (Number.isNaN(raw) ? 0 : Math.min(Math.max(Math.round(raw), min), max))
const swapped = (word: number): number => ((word & 0xff) << 8) | (word >> 8)

function ordered(high: number, low: number, order: WordOrder): number[] {
  switch (order) {
    case 'ABCD':
      return [high, low]
    case 'CDAB':
      return [low, high]
    case 'BADC':
      return [swapped(high), swapped(low)]
    case 'DCBA':
      return [swapped(low), swapped(high)]
  }
}
