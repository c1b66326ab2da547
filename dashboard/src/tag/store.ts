import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'
import type { CommandMessage, LockoutView } from '#contract/http/command.ts'
import { useClient } from '../http/provided.ts'
import { useGates } from '../live/gates.ts'
import { byStructure, inForce, withTags } from './in-force.ts'

/** The tags (挂牌) on the gates that the person may see. */
export const useTags = defineStore('tags', () => {
  const client = useClient()
  const gates = useGates()
  const byGate = shallowRef<ReadonlyMap<string, readonly LockoutView[]>>(new Map())
  /** The gates in the order of the overview. */
  const all = computed(() => gates.signals.flatMap((s) => (byGate.value.get(s.gate.id) ?? []).map((tag) => ({ tag, gate: s.gate }))))
  let asked = 0

  // They end by the clock.
  watch(
    () => gates.now,
    (now) => {
      byGate.value = inForce(byGate.value, now)
    },
  )

  return {
    all,
    of: (gate: string): readonly LockoutView[] => byGate.value.get(gate) ?? [],
    take({ gate, lockouts }: CommandMessage): void {
      if (lockouts === null) return
      asked += 1
      byGate.value = withTags(byGate.value, gate, lockouts)
    },
    /** At the start, and whenever the connection is back: what was told meanwhile is lost. */
    async load(): Promise<void> {
      asked += 1
      const own = asked
      try {
        const tags = await client.tags()
        if (own === asked) byGate.value = byStructure(tags)
        // Told of a change meanwhile: the answer may be of before it.
        else await this.load()
      } catch {
        // The link banner tells that the server is away; with the connection they are asked for again.
      }
    },
    clear(): void {
      byGate.value = new Map()
    },
  }
})
