import type { Quantity } from '#contract/units.ts'

export type CubicMetres = Quantity<'m³'>
export type SquareMetres = Quantity<'m²'>
/** 亩. */
export type Mu = Quantity<'亩'>

export const cubicMetres = (n: number): CubicMetres => n as CubicMetres
export const squareMetres = (n: number): SquareMetres => n as SquareMetres
export const mu = (n: number): Mu => n as Mu

/** What reports give volumes in. A flow-day (流量日) is 1 m³/s for one day. */
export const VOLUME_UNITS = {
  m3: { cubicMetres: 1, label: { zh: 'm³', en: 'm³' } },
  wan_m3: { cubicMetres: 10_000, label: { zh: '万m³', en: '10⁴ m³' } },
  yi_m3: { cubicMetres: 100_000_000, label: { zh: '亿m³', en: '10⁸ m³' } },
  flow_day: { cubicMetres: 86_400, label: { zh: '流量日', en: 'flow-days' } },
} as const
export type VolumeUnit = keyof typeof VOLUME_UNITS

export const volumeIn = (unit: VolumeUnit, volume: CubicMetres): number => volume / VOLUME_UNITS[unit].cubicMetres
export const volumeFrom = (unit: VolumeUnit, n: number): CubicMetres => cubicMetres(n * VOLUME_UNITS[unit].cubicMetres)

/** 15 亩 are a hectare. */
const MU_PER_SQUARE_METRE = 15 / 10_000

export const muOf = (area: SquareMetres): Mu => mu(area * MU_PER_SQUARE_METRE)
export const squareMetresOf = (area: Mu): SquareMetres => squareMetres(area / MU_PER_SQUARE_METRE)

/** Water given to an area, m³/亩 (灌水定额), or null for no area. */
export const cubicMetresPerMu = (volume: CubicMetres, area: Mu): number | null => (area > 0 ? volume / area : null)
/** Area watered by one flow-day, 亩/流量日, or null for no water. */
export const muPerFlowDay = (area: Mu, volume: CubicMetres): number | null => (volume > 0 ? area / volumeIn('flow_day', volume) : null)
