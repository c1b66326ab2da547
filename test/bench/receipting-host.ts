/** What no ingest can be faster than: a host that understands each batch and sends its receipt, but judges nothing and keeps nothing. A process of its own. */
import mqtt from 'mqtt'
import { encodeReceipt, toBatchId } from '#contract/batch.ts'
import { type BirthIndex, birthTable, indexBirth, resolveMetrics } from '#contract/sparkplug/birth.ts'
import { decodePayload, encodePayload } from '#contract/sparkplug/payload.ts'
import { groupFilter, NAMES, nodeTopic, parseSparkplugTopic } from '#contract/topics.ts'

const births = new Map<string, BirthIndex>()
const client = await mqtt.connectAsync(process.env['BROKER'] ?? '')
client.on('message', (topic, bytes) => {
  const at = parseSparkplugTopic(topic)
  if (!at || at.type.endsWith('CMD') || at.type.endsWith('DEATH')) return
  const key = `${at.group}/${at.node}/${at.kind === 'device' ? at.device : ''}`
  const payload = decodePayload(bytes)
  if (at.type.endsWith('BIRTH')) births.set(key, indexBirth(birthTable(payload.timestamp ?? 0, payload.metrics, NAMES.batch)))
  const birth = births.get(key)
  const id = birth && resolveMetrics(payload.metrics, birth).metrics.find((m) => m.name === NAMES.batch)?.value
  if (typeof id !== 'bigint') return
  const receipt = { name: NAMES.receipt, datatype: 'Bytes', value: encodeReceipt([toBatchId(id)]) } as const
  client.publish(nodeTopic('NCMD', at), Buffer.from(encodePayload({ timestamp: Date.now(), metrics: [receipt] })))
})
await client.subscribeAsync(groupFilter('+'), { qos: 1 })
process.stdout.write('ready\n')
