/** The metric catalogue: the one place that knows a metric's name, unit, type, plausible range and label. */

export type MetricDatatype = 'Float' | 'Double' | 'Int32' | 'Boolean'

export type Metric = {
  readonly name: string
  /** SI unit, empty where there is none. */
  readonly unit: string
  readonly datatype: MetricDatatype
  /** Physically possible values; beyond them a reading is BAD (out_of_range). A site's own limits may be narrower. */
  readonly range: readonly [min: number, max: number]
  /** Smallest change worth reporting, in `unit`. 0 reports every change. */
  readonly deadband: number
  /** Decimals to show. */
  readonly decimals: number
  readonly label: { readonly zh: string; readonly en: string }
}

const CATALOGUE: readonly Metric[] = [
  {
    name: 'level_up',
    unit: 'm',
    datatype: 'Float',
    range: [-5, 40],
    deadband: 0.005,
    decimals: 3,
    label: { zh: '闸上水位', en: 'Upstream level' },
  },
  {
    name: 'level_down',
    unit: 'm',
    datatype: 'Float',
    range: [-5, 40],
    deadband: 0.005,
    decimals: 3,
    label: { zh: '闸下水位', en: 'Downstream level' },
  },
  {
    name: 'opening',
    unit: 'm',
    datatype: 'Float',
    range: [-0.05, 20],
    deadband: 0.003,
    decimals: 3,
    label: { zh: '闸门开度', en: 'Gate opening' },
  },
  {
    name: 'flow',
    unit: 'm³/s',
    datatype: 'Float',
    range: [-1000, 10_000],
    deadband: 0.05,
    decimals: 2,
    label: { zh: '过闸流量', en: 'Discharge' },
  },
  {
    name: 'flow_derived',
    unit: 'm³/s',
    datatype: 'Double',
    range: [-1000, 10_000],
    deadband: 0.05,
    decimals: 2,
    label: { zh: '计算流量', en: 'Derived discharge' },
  },
  {
    name: 'velocity',
    unit: 'm/s',
    datatype: 'Float',
    range: [-10, 20],
    deadband: 0.02,
    decimals: 2,
    label: { zh: '流速', en: 'Velocity' },
  },
  {
    name: 'volume_total',
    unit: 'm³',
    // A Float counts whole cubic metres only up to 16 million.
    datatype: 'Double',
    range: [-1e12, 1e12],
    deadband: 1,
    decimals: 0,
    label: { zh: '累计水量', en: 'Total volume' },
  },
  {
    name: 'temperature',
    unit: '°C',
    datatype: 'Float',
    range: [-60, 100],
    deadband: 0.5,
    decimals: 1,
    label: { zh: '温度', en: 'Temperature' },
  },
  { name: 'battery', unit: 'V', datatype: 'Float', range: [0, 60], deadband: 0.1, decimals: 1, label: { zh: '电池电压', en: 'Battery' } },
  {
    name: 'rssi',
    unit: 'dBm',
    datatype: 'Int32',
    range: [-150, 0],
    deadband: 3,
    decimals: 0,
    label: { zh: '信号强度', en: 'Signal strength' },
  },
  { name: 'door', unit: '', datatype: 'Boolean', range: [0, 1], deadband: 0, decimals: 0, label: { zh: '箱门', en: 'Cabinet door' } },
  { name: 'mode', unit: '', datatype: 'Int32', range: [0, 2], deadband: 0, decimals: 0, label: { zh: '控制方式', en: 'Control mode' } },
  { name: 'moving', unit: '', datatype: 'Boolean', range: [0, 1], deadband: 0, decimals: 0, label: { zh: '闸门动作', en: 'Leaf moving' } },
  { name: 'fault', unit: '', datatype: 'Int32', range: [0, 2_147_483_647], deadband: 0, decimals: 0, label: { zh: '故障', en: 'Fault' } },
]

/** Made by ingest from levels and openings (hydraulics/), never measured: no agent may send it. */
export const DERIVED_FLOW = 'flow_derived'

const BY_NAME = new Map(CATALOGUE.map((m) => [m.name, m]))
const LEAF = /^opening_([2-9]|[1-9]\d)$/
export const MAX_LEAVES = 99

/** The metric of one leaf's opening: `opening` for leaf 1, `opening_2` … for the others. */
export const openingOfLeaf = (leaf: number): string => (leaf === 1 ? 'opening' : `opening_${leaf}`)

/** The leaf (1, 2, …) that an opening metric tells of, or undefined for any other metric. */
export function leafOfOpening(name: string): number | undefined {
  if (name === 'opening') return 1
  const match = LEAF.exec(name)
  return match ? Number(match[1]) : undefined
}

const LEAVES = new Map<string, Metric>()

/** @returns the catalogue's entry, with the leaf's number in the label of `opening_2` …, or undefined for a name that is not in it. */
export function metricOf(name: string): Metric | undefined {
  const known = BY_NAME.get(name) ?? LEAVES.get(name)
  if (known) return known
  const leaf = leafOfOpening(name)
  const opening = BY_NAME.get('opening')
  if (leaf === undefined || !opening) return undefined
  const metric = { ...opening, name, label: { zh: `${leaf}号闸门开度`, en: `Leaf ${leaf} opening` } }
  // Asked for each reading; there are as many names as leaves.
  LEAVES.set(name, metric)
  return metric
}

export const METRICS = CATALOGUE
