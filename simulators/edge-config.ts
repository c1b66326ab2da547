import { stringify } from 'yaml'
import type { SimulatedSite } from './main.ts'

export type EdgeChoices = {
  readonly brokerUrl: string
  readonly outboxPath: string
  readonly pollIntervalMs: number
  /** Name of the device profile that the simulators serve. */
  readonly profile: string
  /** What the agent keeps and sends, where it is not its default. */
  readonly report?: Readonly<Record<string, unknown>>
}

/** The settings of the edge agent that reads one simulated site; the agent's own schema fills in the rest. */
export function edgeConfigOf(site: SimulatedSite, choices: EdgeChoices) {
  return {
    site: site.id,
    area: site.area,
    broker: { url: choices.brokerUrl },
    outbox: { path: choices.outboxPath },
    poll: { interval_ms: choices.pollIntervalMs },
    ...(choices.report ? { report: choices.report } : {}),
    buses: [
      {
        name: 'gates',
        host: site.host,
        port: site.port,
        devices: site.devices.map(({ structure, unit, leaves }) => ({ structure, unit, profile: choices.profile, leaves })),
      },
    ],
  }
}

/** The same as a file. */
export const edgeConfigYaml = (site: SimulatedSite, choices: EdgeChoices): string => stringify(edgeConfigOf(site, choices))
