import { stringify } from 'yaml'
import type { Structure } from '#contract/district.ts'
import type { SimulatedSite } from './main.ts'

export type EdgeChoices = {
  readonly brokerUrl: string
  readonly outboxPath: string
  readonly pollIntervalMs: number
  /** Name of the device profile that the simulators serve. */
  readonly profile: string
  /** What the agent keeps and sends, where it is not its default. */
  readonly report?: Readonly<Record<string, unknown>>
  /** The district's structures, where the agents are to move their gates by what is known of them. */
  readonly structures?: readonly Structure[]
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
        devices: site.devices.map(({ structure, unit, leaves }) => ({
          structure,
          unit,
          profile: choices.profile,
          leaves,
          ...controlOf(choices.structures?.find((s) => s.id === structure)),
        })),
      },
    ],
  }
}

/** What the simulated hoists can do, and shorter pauses than a real motor needs: a demonstration is watched. */
const controlOf = (s: Structure | undefined) =>
  s === undefined
    ? {}
    : {
        control: {
          leaf_width_m: s.leaf_width_m,
          sill_m: s.sill_m - s.datum_m,
          limits: { highest_opening_m: s.leaf_height_m, min_interval_s: 10, max_starts_per_h: 60 },
          automatic_every_s: 60,
        },
      }

/** The same as a file. */
export const edgeConfigYaml = (site: SimulatedSite, choices: EdgeChoices): string => stringify(edgeConfigOf(site, choices))
