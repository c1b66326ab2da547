import { type Static, Type } from 'typebox'
import { ID_PATTERN } from '#contract/topics.ts'

export const IngestSettings = Type.Object(
  {
    groups: Type.Array(Type.String({ pattern: `^\\+$|${ID_PATTERN}` }), {
      default: ['+'],
      minItems: 1,
      description: 'Sparkplug groups (areas) that this worker takes; + is every one. A group belongs to one worker at a time',
    }),
    host_id: Type.String({
      default: 'sluice',
      pattern: ID_PATTERN,
      description:
        'Sparkplug host application id; for a single group its name is added, so that one worker’s end is not taken for another’s',
    }),
    write_samples: Type.Integer({ default: 5000, minimum: 1, description: 'Most samples in one write to history' }),
    foreign_samples: Type.Integer({
      default: 50_000,
      minimum: 0,
      description:
        'Samples of nodes without receipts that wait in memory while history is down; beyond it the oldest are dropped and counted',
    }),
    batches_per_node: Type.Integer({
      default: 64,
      minimum: 1,
      description: 'Unreceipted batches of one agent that are held; more are ignored (the agent sends them again)',
    }),
    rebirth_every_ms: Type.Integer({
      default: 10_000,
      minimum: 100,
      description: 'Least time between two rebirth requests to one node, in ms',
    }),
    reorder_ms: Type.Integer({ default: 2000, minimum: 0, description: 'How long a foreign node’s missing seq is waited for, in ms' }),
    directory_refresh_ms: Type.Integer({ default: 15_000, minimum: 100, description: 'How often the list of gates is read again, in ms' }),
  },
  { additionalProperties: false, default: {} },
)
export type IngestSettings = Static<typeof IngestSettings>
