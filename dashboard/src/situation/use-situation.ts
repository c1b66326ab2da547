import { computed, onBeforeUnmount, onMounted, type ShallowRef, shallowRef, watch } from 'vue'
import { noHealth } from '#contract/health.ts'
import type { SiteView } from '#contract/http/site.ts'
import type { Situation } from '#contract/http/situation.ts'
import { useClient } from '../http/provided.ts'
import { useGates } from '../live/gates.ts'
import { usePast } from '../past/store.ts'

const REREAD_MS = 30_000
/** While the past is played the totals of then follow it so often. */
const FOLLOW_MS = 4000
const MINUTE_MS = 60_000
/** Gates of one site turn one after another, and its own word follows theirs. */
const SETTLED_MS = 1000

/** Totals of the district and its sites, as the server reckons them; read anew every half minute, the sites also when gates are lost or found. */
export function useSituation() {
  const client = useClient()
  const gates = useGates()
  const past = usePast()
  const totals = reread<Situation>(() => client.situation(past.at === null ? undefined : past.at - (past.at % MINUTE_MS)))
  const sites = reread<readonly SiteView[]>(() => client.sites())
  const sitesShown = computed(() => {
    if (!past.isActive) return sites.found.value
    return (sites.found.value ?? []).map(
      (site): SiteView => ({ ...site, state: { ...(site.state ?? unheard(site)), online: !past.lostSites.has(site.id) } }),
    )
  })
  onMounted(() => {
    totals.plan(0)
    sites.plan(0)
  })
  watch(
    () => [gates.counts.offline, gates.counts.no_data],
    () => sites.plan(SETTLED_MS),
  )
  watch(
    () => past.jumps,
    () => {
      totals.forget()
      totals.plan(0)
    },
  )
  const follow = setInterval(() => {
    if (past.isPlaying) totals.plan(0)
  }, FOLLOW_MS)
  onBeforeUnmount(() => clearInterval(follow))
  return { situation: totals.found, sites: sitesShown, failure: computed(() => totals.failure.value || sites.failure.value) }
}

type Reread<T> = {
  readonly found: ShallowRef<T | null>
  /** Empty when the last reading was answered. */
  readonly failure: ShallowRef<string>
  /** Reads after this time, and then every half minute until the page is left. */
  plan(afterMs: number): void
  /** What was read is of another moment. */
  forget(): void
}

const unheard = ({ id, area }: SiteView): NonNullable<SiteView['state']> => ({
  ...{ site: id, area, online: true, since: 0, heard_at: 0, receive_skew_ms: null, health_at: null, health: noHealth() },
})

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
  const forget = (): void => {
    found.value = null
  }
  return { found, failure, plan, forget }
}
