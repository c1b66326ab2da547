import { Fault, type FaultCode } from '#contract/fault.ts'
import { leafOfOpening } from '#contract/metrics.ts'
import { type DeviceProfile, registersOf } from '#contract/profile.ts'
import { pointOf } from '../served-device.ts'
import type { Wire } from '../wire.ts'
import type { FaultOrder } from './order.ts'

/** What there is for a fault to strike. */
export type Target = {
  readonly site: string
  readonly wire: Wire['kind']
  /** Unit 1, 2, … */
  readonly units: readonly { readonly profile: DeviceProfile; readonly leaves: number }[]
}
export type Targets = {
  readonly name: string
  readonly sites: readonly Target[]
  /** Ids of the canals that are simulated; none where gates swing by themselves. */
  readonly canals: readonly string[]
}

/** A fault that strikes nothing would be a test of nothing. @throws Fault for a site, unit or metric that is not there. */
export function checkTarget(order: FaultOrder, { name, sites, canals }: Targets, code: FaultCode): void {
  if ('canal' in order) {
    if (canals.includes(order.canal)) return
    if (canals.length === 0) throw new Fault(code, 'these gates stand in no canal', 'simulate them with their canals')
    throw new Fault(code, `district ${name} has no canal ${order.canal} that is simulated`, `name one of ${canals.join(', ')}`)
  }
  const { site, unit } = order
  const target = sites.find((s) => s.site === site)
  if (!target) throw new Fault(code, `district ${name} has no site ${site}`, 'name a site of its sites.yaml')
  if (unit !== undefined && unit > target.units.length) {
    throw new Fault(code, `site ${site} has no unit ${unit}`, `name one from 1 to ${target.units.length}, or none for all of them`)
  }
  if (order.kind === 'crc_error' && target.wire === 'tcp') {
    throw new Fault(code, `site ${site} speaks Modbus TCP, which has no check sum`, 'order it where RTU frames are spoken')
  }
  if (order.kind === 'wrong_transaction' && target.wire === 'rtu') {
    throw new Fault(code, `site ${site} speaks RTU, which has no transactions`, 'order it where Modbus TCP is spoken')
  }
  const units = unit === undefined ? target.units : target.units.slice(unit - 1, unit)
  if (order.kind === 'jammed_leaf' && Math.max(...units.map((u) => u.leaves)) < (order.leaf ?? 1)) {
    throw new Fault(code, `no device named by this jammed_leaf has a leaf ${order.leaf ?? 1}`, 'name one that is there')
  }
  const metric = 'metric' in order ? order.metric : undefined
  if (metric === undefined) return
  const leaf = leafOfOpening(metric)
  const [point] = units.flatMap((u) => pointOf(u, metric, leaf) ?? [])
  if (!point) {
    const profiles = [...new Set(units.map((u) => u.profile.name))].join(' or ')
    throw new Fault(code, `no device named by this ${order.kind} shows ${metric}`, `name a metric of profile ${profiles}`)
  }
  if (order.kind === 'swapped_words' && registersOf(point.type) === 1) {
    throw new Fault(code, `${metric} is a single register: there is nothing to swap`, 'name a 32-bit metric, or none for all of them')
  }
}
