import { randomBytes } from 'node:crypto'
import { type Account, hashMqttPassword } from '#broker/accounts.ts'
import type { Access } from '#broker/embedded.ts'
import type { Site } from '#contract/district.ts'
import { unixMs } from '#contract/units.ts'
import type { SiteKey } from '#registry/control-port.ts'
import type { Registry } from '#registry/port.ts'
import { accountsAccess, siteAccount } from './access.ts'

type Credentials = { readonly username: string; readonly password: string }
export type DemoKeys = {
  readonly access: Access
  readonly ingest: Credentials
  readonly api: Credentials
  readonly ofSite: (site: string) => { readonly siteKey: string; readonly password: string }
}

/** Every simulated site has keys of its own, as a real one has. MQTT passwords are new at each start; site keys stay, as the agents' state does. */
export async function demoKeys(registry: Registry, sites: readonly Site[]): Promise<DemoKeys> {
  const known = new Map((await registry.keys.all()).map((k) => [k.site, k.siteKey]))
  const passwords = new Map<string, { siteKey: string; password: string }>()
  const accounts: Account[] = []
  const fresh: Omit<SiteKey, 'revokedAt'>[] = []
  for (const { id, area } of sites) {
    const password = randomBytes(16).toString('base64url')
    const siteKey = known.get(id) ?? randomBytes(32).toString('base64url')
    const row = { site: id, area, siteKey, mqttUser: id, mqttHash: hashMqttPassword(password), madeAt: unixMs(Date.now()) }
    if (!known.has(id)) fresh.push(row)
    accounts.push(siteAccount({ ...row, revokedAt: null }))
    passwords.set(id, { siteKey, password })
  }
  await registry.keys.put(fresh)
  const service = (kind: 'ingest' | 'api'): Credentials => {
    const password = randomBytes(16).toString('base64url')
    accounts.push({ user: kind, hash: hashMqttPassword(password), principal: { kind } })
    return { username: kind, password }
  }
  const [ingest, api] = [service('ingest'), service('api')]
  return {
    // On loopback anybody may listen and be an edge node of another maker; only the API sends commands, only ingest receipts.
    access: accountsAccess(accounts, { kind: 'loopback' }),
    ingest,
    api,
    ofSite: (site) => {
      const found = passwords.get(site)
      if (!found) throw new Error(`there is no site ${site}`)
      return found
    },
  }
}
