import { type Static, type TProperties, Type } from 'typebox'
import { Value } from 'typebox/value'
import { Fault, type FaultCode } from '#contract/fault.ts'

/** What can be wrong with a simulated device, as a scenario file or the control endpoint orders it. */

const AT_SITE = {
  site: Type.String({ description: 'Site of the district' }),
  unit: Type.Optional(Type.Integer({ minimum: 1, maximum: 247, description: 'Modbus unit; every one of the site where it is left out' })),
}
const ON_CANAL = { canal: Type.String({ description: 'Canal of the district' }) }
const WHEN = {
  at_s: Type.Number({ minimum: 0, default: 0, description: 'Begins so long after the start of the simulators, or after it was posted' }),
  for_s: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Lasts so long; until it is removed where it is left out' })),
}
const SHARE = {
  share: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 1, description: 'Share of the requests that it strikes' }),
}
const METRIC = { metric: Type.Optional(Type.String({ description: 'Metric of the device’s profile; all where it is left out' })) }

const ordered =
  <W extends TProperties>(where: W) =>
  <K extends string, P extends TProperties>(kind: K, description: string, properties: P) =>
    Type.Object({ kind: Type.Literal(kind), ...where, ...WHEN, ...properties }, { additionalProperties: false, description })
const order = ordered(AT_SITE)
const canalOrder = ordered(ON_CANAL)

export const FAULT_ORDERS = {
  no_answer: order('no_answer', 'No answer; a write is not carried out', SHARE),
  late: order('late', 'The answer, right when it was asked, comes late', {
    ...SHARE,
    delay_ms: Type.Integer({ minimum: 1, maximum: 600_000, description: 'How late' }),
  }),
  exception: order('exception', 'An exception instead of the answer; a write is not carried out', {
    ...SHARE,
    code: Type.Integer({ minimum: 1, maximum: 255, default: 4, description: 'Exception code; 4 is a device failure' }),
  }),
  split: order('split', 'The answer comes in several pieces', {
    ...SHARE,
    segments: Type.Integer({ minimum: 2, maximum: 20, default: 3, description: 'How many' }),
    gap_ms: Type.Integer({ minimum: 0, maximum: 60_000, default: 20, description: 'Time from one to the next' }),
  }),
  merged: order('merged', 'The answer before comes once more, in one piece with this one', SHARE),
  wrong_length: order('wrong_length', 'The length that the frame says of itself (MBAP header, or byte count of RTU) is wrong', {
    ...SHARE,
    by: Type.Integer({ minimum: -250, maximum: 250, default: 2, description: 'Bytes too many, or too few below 0' }),
  }),
  crc_error: order('crc_error', 'The check sum is wrong; only on a line of RTU frames', SHARE),
  wrong_transaction: order('wrong_transaction', 'The answer names the transaction after the one asked; only over Modbus TCP', SHARE),
  wrong_unit: order('wrong_unit', 'The answer comes in the name of the next unit', SHARE),
  wrong_function: order('wrong_function', 'The answer names the next function code', SHARE),
  frozen: order('frozen', 'The value stays what it was when the fault began', METRIC),
  spike: order('spike', 'The value jumps and is back with the next reading', {
    metric: Type.String({ description: 'Metric of the device’s profile' }),
    by: Type.Number({ description: 'How far, in the unit of the metric' }),
    share: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 0.05, description: 'Share of the readings that it strikes' }),
  }),
  noise: order('noise', 'The value swings at random, as under wind waves, anew with each reading', {
    metric: Type.String({ description: 'Metric of the device’s profile' }),
    by: Type.Number({ exclusiveMinimum: 0, description: 'How far to either side, in the unit of the metric' }),
  }),
  drift: order('drift', 'The value moves away from the truth, further each day', {
    metric: Type.String({ description: 'Metric of the device’s profile' }),
    per_day: Type.Number({ description: 'How far in a day, in the unit of the metric' }),
  }),
  silted_well: order('silted_well', 'The stilling well is silted up: the level follows the water late', {
    metric: Type.String({ description: 'Metric of the device’s profile' }),
    time_constant_s: Type.Number({ exclusiveMinimum: 0, description: 'Time in which it follows 63 % of a step' }),
  }),
  swapped_words: order('swapped_words', '32-bit values come with their two registers exchanged', METRIC),
  unit_change: order('unit_change', 'The value comes in another unit', {
    metric: Type.String({ description: 'Metric of the device’s profile' }),
    factor: Type.Number({ description: 'What it is multiplied by: 100 shows metres as centimetres' }),
  }),
  jammed_leaf: order(
    'jammed_leaf',
    'The leaf does not move; a motor that is started against it draws its locked current until the overload relay trips',
    {
      leaf: Type.Optional(Type.Integer({ minimum: 1, description: 'Leaf, from 1; all where it is left out' })),
    },
  ),
  iced_gate: order(
    'iced_gate',
    'Ice at the gate: levels are those of the ice’s surface, velocity is 0, the leaves are frozen in as jammed ones',
    {
      thickness_m: Type.Number({ exclusiveMinimum: 0, maximum: 2, description: 'Thickness of the ice' }),
    },
  ),
  reboot: order('reboot', 'Connections from before are reset, then no answer; the leaves are where they were', {
    for_s: Type.Number({ exclusiveMinimum: 0, description: 'How long it takes' }),
  }),
  silted_canal: canalOrder('silted_canal', 'The canal’s bed has risen: the same flow stands higher below the gates that feed it', {
    depth_m: Type.Number({ exclusiveMinimum: 0, maximum: 3, description: 'Depth of the silt' }),
  }),
  iced_canal: canalOrder('iced_canal', 'Ice covers the canal: the water rubs above and below, and the same flow stands higher', {
    thickness_m: Type.Number({ exclusiveMinimum: 0, maximum: 2, description: 'Thickness of the ice' }),
  }),
} as const
export type FaultKind = keyof typeof FAULT_ORDERS
export type OrderOf<K extends FaultKind> = Static<(typeof FAULT_ORDERS)[K]>
/** What is wrong with a canal, and not with a device. */
export type CanalOrder = OrderOf<'silted_canal' | 'iced_canal'>
export type FaultOrder = { [K in FaultKind]: OrderOf<K> }[FaultKind]
export const FAULT_KINDS = Object.keys(FAULT_ORDERS) as FaultKind[]

/** Checked by the schema of its own kind: that of a union would only say that nothing fits. @throws Fault with every mistake, each after `place`. */
export function parseOrder(value: unknown, { place, code }: { readonly place: string; readonly code: FaultCode }): FaultOrder {
  const kind = FAULT_KINDS.find((k) => k === (value as { kind?: unknown } | null)?.kind)
  if (!kind) throw new Fault(code, `${place}: kind is not one of ${FAULT_KINDS.join(', ')}`, 'name one of them')
  const schema = FAULT_ORDERS[kind]
  const order = Value.Default(schema, structuredClone(value))
  if (Value.Check(schema, order)) return order as FaultOrder
  const mistakes = Value.Errors(schema, order).map((e) => `${place} (${kind}): ${e.instancePath.slice(1)} ${e.message}`.replace('  ', ' '))
  throw new Fault(code, [...new Set(mistakes)].join('\n'), 'correct what is named; docs/simulators.md has every fault')
}
