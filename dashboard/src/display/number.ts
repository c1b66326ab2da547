/** A number with a steady count of decimals and a real minus sign; no group separators, which languages write differently. */
export function fixed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals)
  // −0.00 would ask the reader what it means.
  const negative = value < 0 && Number(text) !== 0
  return negative ? `−${text}` : text
}

/** `41 %`, of a flow and its design flow. @returns null where there is no flow */
export function shareText(share: number | null): string | null {
  return share === null ? null : `${fixed(share * 100, 0)} %`
}

/** The bits that are set in a fault word: `0, 3`. @param word a non-negative 32-bit integer */
export function faultBits(word: number): string {
  const bits: number[] = []
  for (let bit = 0; bit < 32; bit++) if (Math.floor(word / 2 ** bit) % 2 === 1) bits.push(bit)
  return bits.join(', ')
}
