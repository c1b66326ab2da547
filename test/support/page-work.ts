import type { CDPSession } from 'playwright-core'

/** A figure of Chromium's Performance domain, which must be enabled: `TaskDuration` is s of the main thread. */
export async function performanceOf(cdp: CDPSession, name: string): Promise<number> {
  const { metrics } = await cdp.send('Performance.getMetrics')
  return metrics.find((m) => m.name === name)?.value ?? Number.NaN
}

/** MB that live after a collection. */
export async function heapMb(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage')
  return (await performanceOf(cdp, 'JSHeapUsedSize')) / 1e6
}
