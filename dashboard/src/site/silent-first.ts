import type { SiteView } from '#contract/http/site.ts'

/** Silent longest first: those never heard, then the lost, then by when they were last heard. */
export function silentFirst(sites: readonly SiteView[]): SiteView[] {
  const rank = ({ state }: SiteView): number => (state === null ? 0 : state.online ? 2 : 1)
  return sites.toSorted((a, b) => rank(a) - rank(b) || (a.state?.heard_at ?? 0) - (b.state?.heard_at ?? 0) || (a.id < b.id ? -1 : 1))
}
