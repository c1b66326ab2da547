import { unit } from '../noise.ts'

export type Trouble = {
  /** Mean time from one to the next; 0 never. */
  readonly every_ms: number
  readonly seed: number
  readonly name: string
  readonly strike: () => void
}

/** Strikes at random moments that know nothing of each other (a Poisson process): the same intervals for the same seed. @returns its end. */
export function startTrouble({ every_ms, seed, name, strike }: Trouble): () => void {
  let timer: NodeJS.Timeout | undefined
  const next = (n: number): void => {
    timer = setTimeout(
      () => {
        strike()
        next(n + 1)
      },
      intervalOf({ every_ms, seed, name }, n),
    )
  }
  if (every_ms > 0) next(0)
  return () => clearTimeout(timer)
}

/** @returns the time before strike `n`, ms; no longer than a timer can wait. */
export function intervalOf({ every_ms, seed, name }: Omit<Trouble, 'strike'>, n: number): number {
  return Math.min(-Math.log(1 - unit(seed, name, n)) * every_ms, 2_147_483_647)
}
