import { onBeforeUnmount, onMounted, shallowRef } from 'vue'
import type { SiteView } from '#contract/http/site.ts'
import type { Situation } from '#contract/http/situation.ts'
import { useClient } from '../http/provided.ts'

const REREAD_MS = 30_000

/** Totals of the district and its sites, as the server reckons them; read anew every half minute. */
export function useSituation() {
  const client = useClient()
  const situation = shallowRef<Situation | null>(null)
  const sites = shallowRef<readonly SiteView[] | null>(null)
  const failure = shallowRef('')

  let timer: ReturnType<typeof setTimeout> | undefined
  let gone = false
  async function read(): Promise<void> {
    try {
      const [found, foundSites] = await Promise.all([client.situation(), client.sites()])
      situation.value = found
      sites.value = foundSites
      failure.value = ''
    } catch (error) {
      failure.value = error instanceof Error ? error.message : String(error)
    }
    if (!gone) timer = setTimeout(() => void read(), REREAD_MS)
  }
  onMounted(read)
  onBeforeUnmount(() => {
    gone = true
    clearTimeout(timer)
  })
  return { situation, sites, failure }
}
