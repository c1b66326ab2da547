import { type Static, Type } from 'typebox'
import { ID_PATTERN } from '#contract/topics.ts'

export const IngestSettings = Type.Object(
  {
    groups: Type.Array(Type.String({ pattern: `^\\+$|${ID_PATTERN}` }), {
      default: ['+'],
      minItems: 1,
      description:
        'Sparkplug groups (areas) that this worker may take; + is every one, and then all workers say +. A group belongs to one worker at a time: the others stand by',
    }),
    worker: Type.String({
      default: 'ingest',
      pattern: ID_PATTERN,
      env: 'SLUICE_INGEST_WORKER',
      description: 'Name of this worker; of workers that run at the same time each has its own',
    }),
    lease_ms: Type.Integer({
      default: 10_000,
      minimum: 500,
      description: 'After this time without a sign of life from a worker another one takes its groups, in ms',
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
