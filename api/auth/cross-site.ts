/** What a browser says of where a request comes from. */
export type Provenance = {
  /** Header Sec-Fetch-Site. */
  readonly fetchSite: string | undefined
  /** Header Origin. */
  readonly origin: string | undefined
  /** The host, with its port, that the request was sent to. */
  readonly host: string
}

/**
 * Did another site make the browser send this? Browsers tell it by Sec-Fetch-Site (https and loopback only) or by Origin, and a page can
 * forge neither. A request with neither is no browser's, so it carries no one else's cookie.
 */
export function isCrossSite({ fetchSite, origin, host }: Provenance): boolean {
  if (fetchSite !== undefined) return fetchSite !== 'same-origin' && fetchSite !== 'none'
  if (origin === undefined) return false
  return !URL.canParse(origin) || new URL(origin).host !== host.toLowerCase()
}
