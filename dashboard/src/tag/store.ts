import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
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
  /** Why they could not be read, empty when they were: then an empty list does not say that nothing is tagged. */
  const failure = ref('')
  let asked = 0
  let isPast = false

  // They end by the clock.
  watch(
    () => gates.now,
    (now) => {
      byGate.value = inForce(byGate.value, now)
    },
  )

  return {
    all,
    failure,
    of: (gate: string): readonly LockoutView[] => byGate.value.get(gate) ?? [],
    take({ gate, lockouts }: CommandMessage): void {
      if (lockouts === null || isPast) return
      asked += 1
      byGate.value = withTags(byGate.value, gate, lockouts)
    },
    /** At the start, and whenever the connection is back: what was told meanwhile is lost. */
    async load(): Promise<void> {
      asked += 1
      const own = asked
      try {
        const tags = await client.tags()
        failure.value = ''
        if (isPast) return
        if (own === asked) byGate.value = byStructure(tags)
        // Told of a change meanwhile: the answer may be of before it.
        else await this.load()
      } catch (error) {
        failure.value = error instanceof Error ? error.message : String(error)
      }
    },
    /** Those that were in force at the past moment that is shown; null shows the present again. */
    showPast(then: readonly LockoutView[] | null): void {
      isPast = then !== null
      if (then) byGate.value = byStructure(then)
      else void this.load()
    },
    clear(): void {
      isPast = false
      byGate.value = new Map()
      failure.value = ''
    },
  }
})
