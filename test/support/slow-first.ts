import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Vitest knows no times in a clean clone and starts the largest files first; these are small and slow.
const SLOW = ['kill-without-receipts', 'bad-link', 'handover', 'store-faults', 'durability'].map((name) => `/${name}.test.ts`)
const isSlow = ({ moduleId }: TestSpecification): boolean => SLOW.some((end) => moduleId.endsWith(end))

/** So that no slow file runs last and alone. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const projects = [...new Set(sorted.map((f) => f.project))]
    return projects.flatMap((project) => {
      const own = sorted.filter((f) => f.project === project)
      return [...own.filter(isSlow), ...own.filter((f) => !isSlow(f))]
    })
  }
}
