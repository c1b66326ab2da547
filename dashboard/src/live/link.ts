/** The connection to the server as the dispatcher must know it: are the values on the screen live, and if not, since when? */
export type Link =
  /** Nothing has been received since the page was opened. */
  | { readonly at: 'connecting'; readonly since: number }
  /** `heard`: when the server last said anything. `news`: when a gate's state last came. */
  | { readonly at: 'live'; readonly heard: number; readonly news: number }
  /** `since`: the last moment at which the values were known to be live. */
  | { readonly at: 'lost'; readonly since: number }

export type LinkEvent =
  /** A full snapshot has come: everything on the screen is as the server knows it. */
  | { readonly kind: 'snapshot'; readonly t: number }
  | { readonly kind: 'news'; readonly t: number }
  /** Any packet, a ping too. */
  | { readonly kind: 'heard'; readonly t: number }
  /** The socket has closed, or the server does not answer. */
  | { readonly kind: 'lost' }

/** Silence after which the server is asked whether it is still there. With the time it is given to answer: less than 3 s. */
export const SILENCE_MS = 1200
export const ANSWER_MS = 1000
/** Below this a pause in the gates' values means nothing. */
const LEAST_QUIET_MS = 15_000

export function nextLink(link: Link, event: LinkEvent): Link {
  switch (event.kind) {
    case 'snapshot':
      return { at: 'live', heard: event.t, news: event.t }
    case 'news':
      // What comes between a reconnection and its snapshot is new, the rest of the screen is not yet.
      return link.at === 'live' ? { at: 'live', heard: event.t, news: event.t } : link
    case 'heard':
      return link.at === 'live' ? { ...link, heard: event.t } : link
    case 'lost':
      return link.at === 'live' ? { at: 'lost', since: link.heard } : link
  }
}

export const isSilent = (link: Link, now: number): boolean => link.at === 'live' && now - link.heard > SILENCE_MS

/** What to show of the link. A connection on which nothing arrives is as bad as none, and looks like the best one. */
export type LinkNotice =
  | { readonly kind: 'none' }
  | { readonly kind: 'connecting'; readonly since: number }
  | { readonly kind: 'lost'; readonly since: number }
  | { readonly kind: 'silent'; readonly since: number }

/** @param quietMs the longest pause between two values of the busiest gate; undefined when no gate has values */
export function noticeOf(link: Link, options: { now: number; quietMs: number | undefined }): LinkNotice {
  switch (link.at) {
    case 'connecting':
      return options.now - link.since > 2 * ANSWER_MS ? { kind: 'connecting', since: link.since } : { kind: 'none' }
    case 'lost':
      return { kind: 'lost', since: link.since }
    case 'live': {
      const quiet = options.quietMs !== undefined && options.now - link.news > Math.max(LEAST_QUIET_MS, options.quietMs)
      return quiet ? { kind: 'silent', since: link.news } : { kind: 'none' }
    }
  }
}
