export const ROLES = ['viewer', 'dispatcher', 'supervisor', 'engineer', 'analyst', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** A role in one area, or in the whole district where `area` is null. */
export type Grant = { readonly role: Role; readonly area: string | null }

/** Who may do what: the server refuses by it, and a page hides what would be refused. `read` is all that a signed-in person sees: gates, their history, canals, areas, sites. */
const ALLOWED = {
  read: ['viewer', 'dispatcher', 'supervisor', 'engineer', 'analyst', 'admin'],
  register: ['engineer', 'admin'],
  /** Read and send configurations of sites. */
  configure_sites: ['engineer'],
  command: ['dispatcher', 'supervisor'],
  lock_out: ['dispatcher', 'supervisor', 'engineer'],
  /** Lift a tag of somebody else, and close orders. */
  supervise: ['supervisor'],
  plan: ['dispatcher', 'supervisor'],
  /** Receive orders for a station, carry them out and report on them. */
  carry_out_orders: ['dispatcher', 'supervisor', 'engineer'],
  read_audit: ['supervisor', 'admin'],
  manage_people: ['admin'],
  read_dead_letters: ['engineer', 'admin'],
  replay_dead_letters: ['engineer', 'admin'],
  /** Corrections, methods, rules and reports. */
  analyse: ['analyst', 'engineer', 'supervisor', 'admin'],
  enter_readings: ['dispatcher', 'supervisor', 'engineer', 'analyst', 'admin'],
  operate_alarms: ['dispatcher', 'supervisor', 'engineer', 'admin'],
  /** Write into the dispatchers' log, and give over and take a shift. */
  keep_log: ['dispatcher', 'supervisor', 'engineer'],
  set_alarm_rules: ['engineer', 'admin'],
} as const satisfies Record<string, readonly Role[]>
export type Action = keyof typeof ALLOWED

/** A grant as a request has it: a token's is narrowed to what the token is for. */
export type HeldGrant = Grant & { readonly only?: readonly Action[] }

/** The areas in which an action is allowed. */
export type Reach = 'district' | ReadonlySet<string>

const allows = (action: Action, { role, only }: HeldGrant): boolean =>
  (ALLOWED[action] as readonly Role[]).includes(role) && (only === undefined || only.includes(action))

/** @returns 'district' where a grant holds for the whole district, else the areas, possibly none. */
export function reachOf(grants: readonly HeldGrant[], action: Action): Reach {
  const areas = new Set<string>()
  for (const grant of grants) {
    if (!allows(action, grant)) continue
    const { area } = grant
    if (area === null) return 'district'
    areas.add(area)
  }
  return areas
}

/** In any area at all. */
export const mayAnywhere = (grants: readonly HeldGrant[], action: Action): boolean => {
  const reach = reachOf(grants, action)
  return reach === 'district' || reach.size > 0
}

export const reaches = (reach: Reach, area: string): boolean => reach === 'district' || reach.has(area)

/** May these grants do `action` in `area`? With null: in the whole district. */
export function may(grants: readonly HeldGrant[], action: Action, area: string | null): boolean {
  const reach = reachOf(grants, action)
  return area === null ? reach === 'district' : reaches(reach, area)
}
