import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { Sort } from './arrange.ts'
import type { Condition } from './condition.ts'

/** How the person has set the overview, so that it is the same after a look at a gate. */
export const useAsk = defineStore('ask', () => {
  const text = ref('')
  const condition = ref<Condition | null>(null)
  const sort = ref<Sort>('place')
  const collapsed = shallowRef<ReadonlySet<string>>(new Set())
  const scrollTop = ref(0)
  return {
    text,
    condition,
    sort,
    collapsed,
    scrollTop,
    toggleArea(area: string): void {
      const next = new Set(collapsed.value)
      if (!next.delete(area)) next.add(area)
      collapsed.value = next
    },
    clear(): void {
      text.value = ''
      condition.value = null
    },
  }
})
