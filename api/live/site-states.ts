import { Compile } from 'typebox/compile'
import { SiteState } from '#contract/health.ts'
import { siteTopic } from '#contract/topics.ts'

const siteState = Compile(SiteState)
const MOST_BYTES = 16 * 1024

/** The newest state of each site, as ingest tells it. */
export class LastSites {
  readonly #bySite = new Map<string, SiteState>()

  get(site: string): SiteState | undefined {
    return this.#bySite.get(site)
  }

  /** Takes one message of the site topics. @returns false when it is not what ingest sends. */
  take(topic: string, payload: Uint8Array): boolean {
    if (payload.byteLength === 0) {
      for (const [site, state] of this.#bySite) if (topic === siteTopic(state.area, site)) this.#bySite.delete(site)
      return true
    }
    const state = parse(payload)
    if (!state || topic !== siteTopic(state.area, state.site)) return false
    this.#bySite.set(state.site, state)
    return true
  }
}

function parse(payload: Uint8Array): SiteState | undefined {
  if (payload.byteLength > MOST_BYTES) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'))
    return siteState.Check(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
