import type { Logger } from 'pino'
import { decodeRecordText } from '#contract/commissioning.ts'
import { messageOf } from '#contract/fault.ts'
import type { SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { NAMES, type NodeAddress } from '#contract/topics.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Registry } from '#registry/port.ts'

type Deps = {
  readonly registry: Pick<Registry, 'commissioning'>
  readonly receipt: (node: NodeAddress, id: string) => void
  readonly now: () => UnixMs
  readonly log: Logger
}

/**
 * Files the commissioning record that a site's NDATA holds, if it holds one, and tells the site when it is durable. A registry that is away is
 * no loss: the site tells it again until it is answered.
 */
export async function fileCommissioning(
  node: NodeAddress,
  metrics: readonly (SparkplugMetric & { name: string })[],
  { registry, receipt, now, log }: Deps,
): Promise<void> {
  const text = metrics.find((m) => m.name === NAMES.commissioning)?.value
  if (typeof text !== 'string') return
  const record = decodeRecordText(text)
  if (!record) {
    log.warn({ ...node }, 'a commissioning record that can not be read')
    return
  }
  try {
    await registry.commissioning.add(node, record, now())
    receipt(node, record.id)
    log.info({ ...node, structure: record.structure, by: record.by }, 'commissioning record filed')
  } catch (error) {
    log.error({ ...node, error: messageOf(error) }, 'a commissioning record was not filed; the site tells it again')
  }
}
