/** Who may say and hear what: the one source of the embedded broker's checks and of Mosquitto's file. */

export type Principal =
  /** An agent: speaks as itself only, and hears what is for it. */
  | { readonly kind: 'site'; readonly area: string; readonly site: string }
  | { readonly kind: 'ingest' }
  /** The only one that sends commands. */
  | { readonly kind: 'api' }
  /** Hears everything, says nothing: for tools of the control room. */
  | { readonly kind: 'reader' }
  /** Whoever is on the loopback of a demo: may be an edge node of any maker, hears everything, sends no command and no receipt. */
  | { readonly kind: 'loopback' }

export type Right = 'publish' | 'subscribe'
export type Rule = { readonly right: Right; readonly filter: string }

const pub = (filter: string): Rule => ({ right: 'publish', filter })
const sub = (filter: string): Rule => ({ right: 'subscribe', filter })

export function rulesOf(p: Principal): readonly Rule[] {
  switch (p.kind) {
    case 'site': {
      const node = (type: string): string => `spBv1.0/${p.area}/${type}/${p.site}`
      return [
        ...['NBIRTH', 'NDEATH', 'NDATA'].map((t) => pub(node(t))),
        ...['DBIRTH', 'DDEATH', 'DDATA'].map((t) => pub(`${node(t)}/+`)),
        sub(node('NCMD')),
        sub(`${node('DCMD')}/+`),
        sub('spBv1.0/STATE/+'),
      ]
    }
    case 'ingest':
      return [pub('spBv1.0/+/NCMD/+'), pub('spBv1.0/STATE/+'), pub('sluice/v1/#'), sub('spBv1.0/#'), sub('sluice/v1/#')]
    case 'api':
      return [pub('spBv1.0/+/NCMD/+'), pub('spBv1.0/+/DCMD/+/+'), sub('spBv1.0/+/NDATA/+'), sub('sluice/v1/#')]
    case 'reader':
      return [sub('spBv1.0/#'), sub('sluice/v1/#')]
    case 'loopback':
      return [
        ...['NBIRTH', 'NDEATH', 'NDATA'].map((t) => pub(`spBv1.0/+/${t}/+`)),
        ...['DBIRTH', 'DDEATH', 'DDATA'].map((t) => pub(`spBv1.0/+/${t}/+/+`)),
        ...rulesOf({ kind: 'reader' }),
      ]
  }
}

/** May `p` publish to this topic, or subscribe to this filter? */
export const isAllowed = (p: Principal, right: Right, topic: string): boolean =>
  rulesOf(p).some((r) => r.right === right && covers(r.filter, topic))

/** Does every topic that `asked` matches match `rule` too? `asked` may hold wildcards itself. */
export function covers(rule: string, asked: string): boolean {
  const [have, want] = [rule.split('/'), asked.split('/')]
  for (const [i, level] of have.entries()) {
    if (level === '#') return true
    const other = want[i]
    if (other === undefined || other === '#') return false
    if (level === '+' ? false : level !== other) return false
  }
  return have.length === want.length
}

/** Mosquitto's `acl_file`, MQTT user by user. */
export function mosquittoAcl(accounts: readonly { readonly user: string; readonly principal: Principal }[]): string {
  const blocks = accounts.map(({ user, principal }) =>
    [`user ${user}`, ...rulesOf(principal).map((r) => `topic ${r.right === 'publish' ? 'write' : 'read'} ${r.filter}`)].join('\n'),
  )
  return `# Made by \`npx sluice access files\`; do not edit: who is in it may do what stands below the name, and nothing else.\n${blocks.join('\n\n')}\n`
}
