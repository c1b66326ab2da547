import type { LockoutView } from '#contract/http/command.ts'
import { type Grant, may } from '#contract/may.ts'

type ByGate = ReadonlyMap<string, readonly LockoutView[]>

export function byStructure(tags: readonly LockoutView[]): ByGate {
  const found = new Map<string, LockoutView[]>()
  for (const tag of tags) found.set(tag.structure, [...(found.get(tag.structure) ?? []), tag])
  return found
}

/** Without those that are over. @returns the same map where none is. */
export function inForce(byGate: ByGate, now: number): ByGate {
  const tags = [...byGate.values()].flat()
  if (tags.every((t) => t.until > now)) return byGate
  return new Map([...byGate].map(([gate, of]) => [gate, of.filter((t) => t.until > now)] as const).filter(([, of]) => of.length > 0))
}

export function withTags(byGate: ByGate, gate: string, tags: readonly LockoutView[]): ByGate {
  const next = new Map(byGate)
  if (tags.length === 0) next.delete(gate)
  else next.set(gate, tags)
  return next
}

type Who = { readonly login: string; readonly grants: readonly Grant[] }
/** Who tagged it, or a supervisor of its area; the server has the last word. */
export const mayLift = (who: Who | null | undefined, tag: Pick<LockoutView, 'by'>, area: string): boolean =>
  who !== null && who !== undefined && (who.login === tag.by || may(who.grants, 'supervise', area))
