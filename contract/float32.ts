/** 10^0 … 10^12, each exact. */
const POWERS = Array.from({ length: 13 }, (_, n) => 10 ** n)
/** From here on a number has one digit more before its point: 0.01, 0.1 … 100,000. */
const STEPS = [0.01, 0.1, 1, 10, 100, 1000, 10_000, 100_000]

/**
 * The shortest decimal that is the same 32-bit float: 1.2339999675750732 becomes 1.234. Measured values travel as Sparkplug Float;
 * rounding both ends to this form makes the value that the agent kept and the one in history the same number.
 */
export function shortestFloat32(value: number): number {
  const f = Math.fround(value)
  if (!Number.isFinite(f)) return f
  const size = Math.abs(f)
  // Six digits or less, as most measured values have.
  const millis = Math.round(f * 1000) / 1000
  if (size < 1000 && Math.fround(millis) === f) return millis + 0
  if (size >= 0.001 && size < 1_000_000) return ordinary(f, size)
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(f.toPrecision(digits))
    if (Math.fround(short) === f) return short
  }
  return Number(f.toPrecision(9))
}

/** As toPrecision, without a string: a float's 24 bits times 10^k are exact up to k = 12, so they are rounded as the decimal is. */
function ordinary(f: number, size: number): number {
  let before = -2
  for (const step of STEPS) {
    if (size < step) break
    before++
  }
  for (let digits = 6; ; digits++) {
    const scale = POWERS[digits - before] ?? 1
    const short = Math.round(size * scale) / scale
    if (digits === 9 || Math.fround(short) === size) return f < 0 ? -short : short
  }
}
