import type { Logger } from 'pino'
import { type BatchId, decodeReceipt } from '#contract/batch.ts'
import { DecodeFault, decodePayload, type MetricValue, metricValue } from '#contract/sparkplug/payload.ts'
import { NAMES } from '#contract/topics.ts'
import type { CenterLink } from '../from-center/center-link.ts'

/** Where the site has keys: commands are taken, and what the host says must be sealed. */
export type SessionControl = {
  receive(device: string, payload: Uint8Array, options: { readonly retained: boolean }): void
  /** @returns whether it is the center's answer to our question. */
  receiveTime(answer: Uint8Array): boolean
  /** @returns what is inside the seal, or null where it is not ours. */
  openReceipt(bytes: Uint8Array): Uint8Array | null
  /** @returns the id of a commissioning record, or null where the seal is not ours. */
  openCommissioned(bytes: Uint8Array): string | null
}

export type HostWordDeps = {
  /** What the host's clock said. */
  readonly onHostTime: (t: number) => void
  readonly onReceipt: (ids: readonly BatchId[]) => void
  readonly onRebirth: () => void
  /** The host has said that it inflates. */
  readonly onInflates: () => void
  readonly control?: SessionControl | undefined
  readonly center?: Pick<CenterLink, 'ordered' | 'contact'> | undefined
  /** Signed records of the site, told until the host has them. */
  readonly records?: { received(id: string): void } | undefined
  readonly log: Logger
}

/** Takes what the host says to the node in an NCMD: times, receipts, orders about the configuration, and what Sparkplug has it ask. */
export function hearHost(payload: Uint8Array, deps: HostWordDeps): void {
  const { log, control, center, onHostTime } = deps
  try {
    const { timestamp, metrics } = decodePayload(payload)
    if (timestamp !== undefined) onHostTime(timestamp)
    for (const metric of metrics) {
      const value = metricValue(metric)
      if (metric.name === NAMES.time && value instanceof Uint8Array) {
        if (control?.receiveTime(value)) center?.contact()
      } else if (metric.name === NAMES.configOrder && value instanceof Uint8Array) center?.ordered(value)
      else if (metric.name === NAMES.commissioningReceipt) hearCommissioned(value, deps)
      else if (metric.name === NAMES.rebirth && value === true) {
        log.info('the host asks for a rebirth')
        deps.onRebirth()
      } else if (metric.name === NAMES.deflate && value === true) deps.onInflates()
      else if (metric.name === NAMES.receipt && value instanceof Uint8Array) hearReceipt(value, deps)
    }
  } catch (error) {
    if (!(error instanceof DecodeFault)) throw error
    log.warn('a command that is not Sparkplug B')
  }
}

function hearReceipt(value: Uint8Array, { control, onReceipt, log }: HostWordDeps): void {
  const receipt = control ? control.openReceipt(value) : value
  const ids = receipt && decodeReceipt(receipt)
  if (ids) onReceipt(ids)
  else log.warn('a receipt that is not sealed with the key of this site, or of another version')
}

/** Where the site has keys a word without its seal is nobody's. */
function hearCommissioned(value: MetricValue | null | undefined, { control, records, log }: HostWordDeps): void {
  const id = control ? value instanceof Uint8Array && control.openCommissioned(value) : value
  if (typeof id === 'string') records?.received(id)
  else log.warn('a receipt of a commissioning record that is not sealed with the key of this site')
}
