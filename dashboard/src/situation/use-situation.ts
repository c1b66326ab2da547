import { computed, onBeforeUnmount, onMounted, type ShallowRef, shallowRef, watch } from 'vue'
import type { SiteView } from '#contract/http/site.ts'
import type { Situation } from '#contract/http/situation.ts'
import { useClient } from '../http/provided.ts'
import { useGates } from '../live/gates.ts'

const REREAD_MS = 30_000
/** Gates of one site turn one after another, and its own word follows theirs. */
const SETTLED_MS = 1000

/** Totals of the district and its sites, as the server reckons them; read anew every half minute, the sites also when gates are lost or found. */
export function useSituation() {
  const client = useClient()
  const gates = useGates()
  const totals = reread<Situation>(() => client.situation())
  const sites = reread<readonly SiteView[]>(() => client.sites())
  onMounted(() => {
    totals.plan(0)
    sites.plan(0)
  })
  watch(
    () => [gates.counts.offline, gates.counts.no_data],
    () => sites.plan(SETTLED_MS),
  )
  return { situation: totals.found, sites: sites.found, failure: computed(() => totals.failure.value || sites.failure.value) }
}

type Reread<T> = {
  readonly found: ShallowRef<T | null>
  /** Empty when the last reading was answered. */
  readonly failure: ShallowRef<string>
  /** Reads after this time, and then every half minute until the page is left. */
  plan(afterMs: number): void
}

function reread<T>(read: () => Promise<T>): Reread<T> {
  const found = shallowRef<T | null>(null)
  const failure = shallowRef('')
  let timer: ReturnType<typeof setTimeout> | undefined
  let gone = false
  function plan(afterMs: number): void {
    clearTimeout(timer)
    if (!gone) timer = setTimeout(() => void run(), afterMs)
  }
  async function run(): Promise<void> {
    plan(REREAD_MS)
    try {
      found.value = await read()
      failure.value = ''
    } catch (error) {
      failure.value = error instanceof Error ? error.message : String(error)
    }
  }
  onBeforeUnmount(() => {
    gone = true
    clearTimeout(timer)
  })
  return { found, failure, plan }
}
