import type { SiteView } from '#contract/http/site.ts'
import type { NewSiteConfig, SiteConfigAgain, SiteConfigList, SiteConfigText, SiteConfigView } from '#contract/http/site-config.ts'
import type { Read } from '../alarm/client.ts'

/** The server's `/api/v1/sites/:id/configs` as functions. Each @throws RequestFailure */
export type SiteConfigClient = {
  site(site: string): Promise<SiteView>
  list(site: string): Promise<SiteConfigList['items']>
  text(site: string, id: string): Promise<SiteConfigText>
  ask(site: string): Promise<unknown>
  send(site: string, config: NewSiteConfig): Promise<SiteConfigView>
  again(site: string, id: string, how: SiteConfigAgain): Promise<SiteConfigView>
}

/** Older ones are in the registry, and seldom wanted. */
const LISTED = 100

export function siteConfigClient(read: Read): SiteConfigClient {
  const of = (site: string, rest = ''): string => `/sites/${encodeURIComponent(site)}${rest}`
  const post = <T>(path: string, body?: unknown): Promise<T> =>
    read<T>(
      path,
      body === undefined
        ? { method: 'POST' }
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    )
  return {
    site: (site) => read(of(site)),
    list: async (site) => (await read<SiteConfigList>(of(site, `/configs?limit=${LISTED}`))).items,
    text: (site, id) => read(of(site, `/configs/${encodeURIComponent(id)}`)),
    ask: (site) => post(of(site, '/configs/read')),
    send: (site, config) => post(of(site, '/configs'), config),
    again: (site, id, how) => post(of(site, `/configs/${encodeURIComponent(id)}/again`), how),
  }
}
