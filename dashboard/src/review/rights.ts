type Who = { readonly grants: readonly { readonly role: string; readonly area: string | null }[] } | null

/** The server has the last word; the page only hides what it would refuse. */
const ANALYSE = ['analyst', 'engineer', 'supervisor', 'admin']
const ENTER = [...ANALYSE, 'dispatcher']

const holds = (who: Who, roles: readonly string[], area: string): boolean =>
  who?.grants.some((g) => roles.includes(g.role) && (g.area === null || g.area === area)) ?? false

export const mayAnalyse = (who: Who, area: string): boolean => holds(who, ANALYSE, area)
export const mayEnter = (who: Who, area: string): boolean => holds(who, ENTER, area)
