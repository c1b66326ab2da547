/** A measured value and the half-width of its interval. All inputs of one reckoning are at one level of confidence; so is the result. */
export type Measured = { readonly value: number; readonly plusMinus: number }

/**
 * Half-width of a result that is computed from measured values: GUM (JCGM 100:2008) 5.1.3, note 2. Each input is moved by its own half-width to
 * both sides, and half the differences are added in squares. A step that large, rather than a derivative, since that of a submerged gate is infinite
 * where the levels meet.
 * Inputs are taken as independent: what one instrument reads is one input.
 * @param model null where it has no result; then the one side that has counts alone.
 * @returns null when nothing can be said of an input, or the model has no result at the values themselves.
 */
export function propagate(model: (values: readonly number[]) => number | null, inputs: readonly Measured[]): number | null {
  const values = inputs.map((input) => input.value)
  const centre = model(values)
  if (centre === null || !Number.isFinite(centre)) return null
  let squares = 0
  for (const [i, { value, plusMinus }] of inputs.entries()) {
    if (!(plusMinus >= 0 && Number.isFinite(plusMinus))) return null
    if (plusMinus === 0) continue
    values[i] = value + plusMinus
    const high = model(values)
    values[i] = value - plusMinus
    const low = model(values)
    values[i] = value
    if (high === null && low === null) return null
    const half = high !== null && low !== null ? (high - low) / 2 : (high ?? centre) - (low ?? centre)
    squares += half * half
  }
  return Number.isFinite(squares) ? Math.sqrt(squares) : null
}

/** Independent contributions to one result, added in squares. */
export const combine = (...halfWidths: readonly number[]): number => Math.hypot(...halfWidths)
