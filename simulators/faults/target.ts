import type { District } from '#contract/district.ts'
import { Fault, type FaultCode } from '#contract/fault.ts'
import { leafOfOpening, openingOfLeaf } from '#contract/metrics.ts'
import { type DeviceProfile, registersOf } from '#contract/profile.ts'
import type { FaultOrder } from './order.ts'

export type Targets = { readonly district: District; readonly profile: DeviceProfile }

/** A fault that strikes nothing would be a test of nothing. @throws Fault for a site, unit or metric that is not there. */
export function checkTarget(order: FaultOrder, { district, profile }: Targets, code: FaultCode): void {
  const { site, unit } = order
  if (!district.sites.some((s) => s.id === site)) {
    throw new Fault(code, `district ${district.name} has no site ${site}`, 'name a site of its sites.yaml')
  }
  const units = district.structures.filter((s) => s.site === site)
  if (unit !== undefined && unit > units.length) {
    throw new Fault(code, `site ${site} has no unit ${unit}`, `name one from 1 to ${units.length}, or none for all of them`)
  }
  const metric = 'metric' in order ? order.metric : undefined
  if (metric === undefined) return
  const structures = unit === undefined ? units : units.slice(unit - 1, unit)
  const leaf = leafOfOpening(metric)
  const points = leaf === undefined ? profile.points : (profile.leaf?.points ?? [])
  const point = points.find((p) => p.metric === (leaf === undefined ? metric : openingOfLeaf(1)))
  if (!point || (leaf !== undefined && structures.every((s) => s.leaves < leaf))) {
    throw new Fault(code, `no device named by this ${order.kind} shows ${metric}`, `name a metric of profile ${profile.name}`)
  }
  if (order.kind === 'swapped_words' && registersOf(point.type) === 1) {
    throw new Fault(code, `${metric} is a single register: there is nothing to swap`, 'name a 32-bit metric, or none for all of them')
  }
}
