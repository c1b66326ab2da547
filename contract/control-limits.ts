import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const
const Span = (description: string) =>
  Type.Object({ lowest_m: Type.Optional(Type.Number()), highest_m: Type.Optional(Type.Number()) }, { ...closed, description })

/** What a leaf may be made to do. They live in the agent's own file; the center may only make them tighter. Defaults: ASCE MOP 131 practice. */
export const ControlLimits = Type.Object(
  {
    lowest_opening_m: Type.Number({ minimum: 0, default: 0, description: 'No target below it' }),
    highest_opening_m: Type.Number({ exclusiveMinimum: 0, default: 3, description: 'No target above it' }),
    max_step_m: Type.Number({ exclusiveMinimum: 0, default: 0.5, description: 'Longest way of a leaf in one command, in m' }),
    max_difference_m: Type.Number({
      exclusiveMinimum: 0,
      default: 0.5,
      description: 'Most that two leaves of the structure may stand apart on the way (scour), in m',
    }),
    min_interval_s: Type.Number({ minimum: 0, default: 300, description: 'Shortest time from the start of one move to the next, in s' }),
    max_starts_per_h: Type.Integer({ minimum: 1, default: 6, description: 'Most starts of one leaf’s motor in an hour (duty S3)' }),
    drawdown_m_per_h: Type.Number({
      exclusiveMinimum: 0,
      default: 0.15,
      description: 'Fastest fall of either pool before moves that feed it, in m/h',
    }),
    level_up: Type.Optional(Span('Upstream level: no move that drives it further beyond')),
    level_down: Type.Optional(Span('Downstream level: no move that drives it further beyond')),
  },
  { ...closed, default: {} },
)
export type ControlLimits = Static<typeof ControlLimits>

/** What the center asks to be narrower. */
export const TighterLimits = Type.Object(
  {
    lowest_opening_m: Type.Optional(Type.Number({ minimum: 0 })),
    highest_opening_m: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    max_step_m: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    max_difference_m: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    min_interval_s: Type.Optional(Type.Number({ minimum: 0 })),
    max_starts_per_h: Type.Optional(Type.Integer({ minimum: 1 })),
    drawdown_m_per_h: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    level_up: Type.Optional(Span('Upstream level')),
    level_down: Type.Optional(Span('Downstream level')),
  },
  closed,
)
export type TighterLimits = Static<typeof TighterLimits>

type Span = { readonly lowest_m?: number | undefined; readonly highest_m?: number | undefined }

/** @returns for each limit the narrower of the two: what is asked can't widen anything. */
export function tightest(own: ControlLimits, asked: TighterLimits): ControlLimits {
  const least = (a: number, b: number | undefined): number => (b === undefined ? a : Math.min(a, b))
  const most = (a: number, b: number | undefined): number => (b === undefined ? a : Math.max(a, b))
  const span = (a: Span | undefined, b: Span | undefined) => {
    const lows = [a?.lowest_m, b?.lowest_m].filter((n) => n !== undefined)
    const highs = [a?.highest_m, b?.highest_m].filter((n) => n !== undefined)
    return { ...(lows.length > 0 && { lowest_m: Math.max(...lows) }), ...(highs.length > 0 && { highest_m: Math.min(...highs) }) }
  }
  return {
    lowest_opening_m: most(own.lowest_opening_m, asked.lowest_opening_m),
    highest_opening_m: least(own.highest_opening_m, asked.highest_opening_m),
    max_step_m: least(own.max_step_m, asked.max_step_m),
    max_difference_m: least(own.max_difference_m, asked.max_difference_m),
    min_interval_s: most(own.min_interval_s, asked.min_interval_s),
    max_starts_per_h: least(own.max_starts_per_h, asked.max_starts_per_h),
    drawdown_m_per_h: least(own.drawdown_m_per_h, asked.drawdown_m_per_h),
    level_up: span(own.level_up, asked.level_up),
    level_down: span(own.level_down, asked.level_down),
  }
}
