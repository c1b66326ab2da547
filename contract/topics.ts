/** MQTT topics: Sparkplug B 3.0 (`spBv1.0/…`) and Sluice's own (`sluice/v1/…`). */

export const SPARKPLUG = 'spBv1.0'
const NODE_TYPES = ['NBIRTH', 'NDEATH', 'NDATA', 'NCMD'] as const
const DEVICE_TYPES = ['DBIRTH', 'DDEATH', 'DDATA', 'DCMD'] as const
export type NodeMessage = (typeof NODE_TYPES)[number]
export type DeviceMessage = (typeof DEVICE_TYPES)[number]

/** An edge node: Sparkplug group (our area) and edge node id (our site). */
export type NodeAddress = { readonly group: string; readonly node: string }
export type DeviceAddress = NodeAddress & { readonly device: string }
export type SparkplugTopic =
  | ({ readonly kind: 'node'; readonly type: NodeMessage } & NodeAddress)
  | ({ readonly kind: 'device'; readonly type: DeviceMessage } & DeviceAddress)

/** What may stand as one level of a topic and, in Sluice, as an id: no MQTT wildcard, no separator, no control character. */
const ID = /^[A-Za-z0-9_.-]{1,64}$/
export const isId = (text: string): boolean => ID.test(text)
export const ID_PATTERN = ID.source

// [tck-id-topic-structure-namespace-valid-group-id]: group, node and device ids hold no +, / or #; foreign ids may be of any other letters.
/** Longer ids would not fit an index of the registry. */
const LONGEST_ID = 200
const foreignId = (text: string | undefined): text is string =>
  text !== undefined && text !== '' && text.length <= LONGEST_ID && !/[+#/]/.test(text) && !text.includes('\0')

export const nodeTopic = (type: NodeMessage, a: NodeAddress): string => `${SPARKPLUG}/${a.group}/${type}/${a.node}`
export const deviceTopic = (type: DeviceMessage, a: DeviceAddress): string => `${SPARKPLUG}/${a.group}/${type}/${a.node}/${a.device}`
/** [tck-id-host-topic-phid-birth-topic] */
export const stateTopic = (hostId: string): string => `${SPARKPLUG}/STATE/${hostId}`
/** Everything that edge nodes of a group say, commands included. `+` means every group. */
export const groupFilter = (group: string): string => `${SPARKPLUG}/${group}/#`

/** @returns the parts, or null for a topic that is not a Sparkplug B node's or device's message. */
export function parseSparkplugTopic(topic: string): SparkplugTopic | null {
  const [ns, group, type, node, device, ...rest] = topic.split('/')
  if (ns !== SPARKPLUG || !foreignId(group) || !foreignId(node) || rest.length > 0) return null
  if (device === undefined) {
    const t = NODE_TYPES.find((x) => x === type)
    return t ? { kind: 'node', type: t, group, node } : null
  }
  const t = DEVICE_TYPES.find((x) => x === type)
  return t && foreignId(device) ? { kind: 'device', type: t, group, node, device } : null
}

export const liveTopic = (area: string, gate: string): string => `sluice/v1/live/${area}/${gate}`
export const LIVE_FILTER = 'sluice/v1/live/#'
/** The last state of a site and its agent, retained (contract/health.ts). */
export const siteTopic = (area: string, site: string): string => `sluice/v1/site/${area}/${site}`
export const SITE_FILTER = 'sluice/v1/site/#'
/** What an agent said of a command or of its control of a gate, on its way from ingest to the API nodes: CommandNews as JSON. */
export const commandTopic = (area: string, gate: string): string => `sluice/v1/command/${area}/${gate}`
export const COMMAND_FILTER = 'sluice/v1/command/#'

/** Names inside Sparkplug payloads that are not measured values. */
export const NAMES = {
  bdSeq: 'bdSeq',
  rebirth: 'Node Control/Rebirth',
  batch: 'Outbox/Batch',
  receipt: 'Outbox/Receipt',
  lost: 'Outbox/Lost',
  /** In a birth: the agent would deflate. In a command: the host inflates, and wants it. */
  deflate: 'Outbox/Deflate',
  commissioning: 'Commissioning/Record',
  commissioningReceipt: 'Commissioning/Receipt',
  /** DCMD, Bytes: a signed command (contract/command.ts). */
  command: 'Command/Signed',
  /** DDATA, Bytes: how far the last command is, sealed by the agent. */
  commandState: 'Command/State',
  /** DDATA, Bytes: mode, tag and presets of the structure, sealed by the agent. */
  control: 'Command/Control',
  /** NDATA, Bytes: the agent asks for the time and its counters. */
  nonce: 'Command/Nonce',
  /** NCMD, Bytes: the signed answer. */
  time: 'Command/Time',
  /** NCMD, Bytes: a signed order about the site's configuration, deflated inside (contract/site-config.ts). */
  configOrder: 'Config/Order',
  /** NDATA, Bytes: what became of it, sealed by the agent, deflated inside. */
  configNews: 'Config/News',
} as const
/** Metrics that hold the protocol itself; they never become samples. */
export const isProtocolMetric = (name: string): boolean =>
  name === NAMES.bdSeq ||
  name.startsWith('Node Control/') ||
  name.startsWith('Device Control/') ||
  name.startsWith('Outbox/') ||
  name.startsWith('Health/') ||
  name.startsWith('Commissioning/') ||
  name.startsWith('Command/') ||
  name.startsWith('Config/') ||
  name.startsWith('Node Info/') ||
  name.startsWith('Properties/')
