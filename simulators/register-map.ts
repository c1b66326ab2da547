import { Fault } from '#contract/fault.ts'
import { type DeviceProfile, type ProfilePoint, registersOf } from '#contract/profile.ts'
import { encodeRaw } from './encode.ts'

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
  const own = profile.points.filter((p) => p.space === space).map((p) => p.address + registersOf(p.type))
  const { leaf } = profile
  const repeated = leaf && (space === 'holding' || leaf.points.some((p) => p.space === space))
  return Math.max(0, ...own, repeated ? leaf.first_address + leaf.stride * leaves : 0)
}

/** The registers of a value: scaled back to the raw number, held within the type, in the point's word order. */
export const wordsOf = (point: Pick<ProfilePoint, 'type' | 'scale' | 'offset' | 'order'>, value: number): number[] =>
  encodeRaw((value - point.offset) / point.scale, point)
