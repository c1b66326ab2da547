import { defineConfig } from 'vitest/config'
import { SlowFirst } from './test/support/slow-first.ts'

const ignored = ['**/node_modules/**', 'dist/**', 'data/**']

// They prove what they prove on a busy machine too.
const BESIDE_OTHERS = ['handover', 'kill-without-receipts', 'store-faults'].map((name) => `test/chaos/${name}.test.ts`)

export default defineConfig({
  test: {
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...ignored, 'test/path/**', 'test/chaos/**', 'test/browser/**', 'test/start/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // A worker reads the sources once, not once for each file: a third less processor time.
          isolate: false,
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'system',
          globalSetup: ['test/support/build.ts'],
          include: ['test/{path,browser,start}/**/*.test.ts', ...BESIDE_OTHERS],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'chaos',
          globalSetup: ['test/support/build.ts'],
          include: ['test/chaos/**/*.test.ts'],
          exclude: [...ignored, ...BESIDE_OTHERS],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          // What is killed here shall not wait for anything else.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'soak',
          globalSetup: ['test/support/build.ts'],
          include: ['test/soak/**/*.soak.ts'],
          testTimeout: 3 * 3_600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'bench',
          globalSetup: ['test/support/build.ts'],
          include: ['test/bench/**/*.bench.ts'],
          testTimeout: 3_600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
})
