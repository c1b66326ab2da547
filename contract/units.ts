declare const unit: unique symbol

/** A number whose unit the compiler knows. Costs nothing at run time. */
export type Quantity<U extends string> = number & { readonly [unit]: U }

export type Metres = Quantity<'m'>
export type CubicMetresPerSecond = Quantity<'m³/s'>
export type Milliseconds = Quantity<'ms'>
export type UnixMs = Quantity<'ms since 1970-01-01 UTC'>

// Called where a bare number enters (a register, a row, a form), nowhere else.
export const metres = (n: number): Metres => n as Metres
export const cubicMetresPerSecond = (n: number): CubicMetresPerSecond => n as CubicMetresPerSecond
export const milliseconds = (n: number): Milliseconds => n as Milliseconds
export const unixMs = (n: number): UnixMs => n as UnixMs
