/**
 * The shortest decimal that is the same 32-bit float: 1.2339999675750732 becomes 1.234. Measured values travel as Sparkplug Float;
 * rounding both ends to this form makes the value that the agent kept and the one in history the same number.
 */
export function shortestFloat32(value: number): number {
  const f = Math.fround(value)
  if (!Number.isFinite(f)) return f
  // Six digits or less, as most measured values have: found without a string.
  const millis = Math.round(f * 1000) / 1000
  if (Math.abs(f) < 1000 && Math.fround(millis) === f) return millis + 0
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(f.toPrecision(digits))
    if (Math.fround(short) === f) return short
  }
  return Number(f.toPrecision(9))
}
