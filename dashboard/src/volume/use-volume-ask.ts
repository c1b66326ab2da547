import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { listIn, spanIn, stepIn, unitIn } from './ask.ts'

/** What the address asks for, and how to ask for something else. */
export function useVolumeAsk() {
  const route = useRoute()
  const router = useRouter()
  const openedAt = Date.now()
  const step = computed(() => stepIn(route.query))
  return {
    openedAt,
    step,
    unit: computed(() => unitIn(route.query)),
    span: computed(() => spanIn(route.query, step.value, openedAt)),
    list: (name: string): string[] => listIn(route.query, name),
    text: (name: string): string => {
      const value = route.query[name]
      return typeof value === 'string' ? value : ''
    },
    /** What is undefined or empty leaves the address. */
    go(to: Readonly<Record<string, string | undefined>>): void {
      const query = { ...route.query, ...to }
      void router.push({ query: Object.fromEntries(Object.entries(query).filter(([, v]) => v !== undefined && v !== '')) })
    },
  }
}
