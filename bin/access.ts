import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { stringify } from 'yaml'
import { makeKeyFile, openSigner } from '#api/control/signer.ts'
import { type Account, hashMqttPassword, mosquittoPasswords } from '#broker/accounts.ts'
import { mosquittoAcl } from '#broker/acl.ts'
import type { Access } from '#broker/embedded.ts'
import { Fault, messageOf } from '#contract/fault.ts'
import { unixMs } from '#contract/units.ts'
import type { SiteKey } from '#registry/control-port.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { folders } from './folders.ts'
import type { ServiceSettings } from './settings.ts'

const secret = (): string => randomBytes(32).toString('base64url')

/** Keys and MQTT credentials of one site, in one step. @returns what its agent needs, the only copy of the password. */
export async function provision(registry: Registry, site: { id: string; area: string }): Promise<{ siteKey: string; password: string }> {
  const [siteKey, password] = [secret(), secret()]
  const at = unixMs(Date.now())
  await registry.keys.put([
    { site: site.id, area: site.area, siteKey, mqttUser: site.id, mqttHash: hashMqttPassword(password), madeAt: at },
  ])
  await registry.audit.append({ at, who: 'command line', action: 'site.provision', subject: site.id, details: {} })
  return { siteKey, password }
}

export const siteAccount = ({ mqttUser, mqttHash, area, site }: SiteKey): Account => ({
  user: mqttUser,
  hash: mqttHash,
  principal: { kind: 'site', area, site },
})

export function accountsAccess(accounts: readonly Account[], anonymous: Access['anonymous']): Access {
  const byUser = new Map(accounts.map((a) => [a.user, a]))
  return { account: (user) => byUser.get(user), anonymous }
}

/** @throws Fault CONFIG_UNREADABLE */
export function accessOf(file: string | undefined): { access?: Access } {
  if (file === undefined) return {}
  try {
    return { access: accountsAccess(JSON.parse(readFileSync(file, 'utf8')) as Account[], null) }
  } catch (cause) {
    throw new Fault(
      'CONFIG_UNREADABLE',
      `the accounts in ${file} can't be read: ${messageOf(cause)}`,
      'write them with `npx sluice access files`',
      { cause },
    )
  }
}

const withRegistry = async <T>(settings: ServiceSettings, log: Logger, work: (registry: Registry) => Promise<T>): Promise<T> => {
  const registry = await openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })
  try {
    return await work(registry)
  } finally {
    await registry.close()
  }
}

/** `sluice key make`: only the public half is shown. */
export function makeKey(file: string): void {
  process.stdout.write(`${makeKeyFile(file)}\n`)
}

/** `sluice access site`: keys of a registered site, and the part of its agent's file that holds them. */
export const provisionSite = (
  settings: ServiceSettings,
  { site: id, out, mqtt }: { site: string; out: string; mqtt: string },
  log: Logger,
): Promise<void> =>
  withRegistry(settings, log, async (registry) => {
    const site = (await registry.district.sites()).find((s) => s.id === id)
    if (!site) throw new Fault('NOT_FOUND', `there is no site ${id}`, 'register it first: `npx sluice seed`, or POST /api/v1/sites')
    const keyFile = settings.api.control.key_file
    if (keyFile === undefined)
      throw new Fault(
        'CONFIG_INVALID',
        'api.control.key_file is not set',
        'make a key with `npx sluice key make --file FILE` and name it there',
      )
    const { siteKey, password } = await provision(registry, site)
    const part = {
      site: site.id,
      area: site.area,
      broker: { url: mqtt, username: site.id, password },
      control: { command_keys: [openSigner(keyFile).publicKey], site_key: siteKey, state: `./control-${site.id}` },
    }
    writeFileSync(out, stringify(part), { mode: 0o600 })
    process.stdout.write(`${out} holds the credentials and keys of ${site.id}: carry it to the gatehouse, and delete it here\n`)
  })

/** `sluice access revoke`: no receipt, no command, and no sign-in after the next `access files`. */
export const revokeSite = (settings: ServiceSettings, id: string, log: Logger): Promise<void> =>
  withRegistry(settings, log, async (registry) => {
    const at = unixMs(Date.now())
    if (!(await registry.keys.revoke(id, at))) throw new Fault('NOT_FOUND', `site ${id} has no keys`, 'nothing is to be revoked')
    await registry.audit.append({ at, who: 'command line', action: 'site.revoke', subject: id, details: {} })
    process.stdout.write(`the keys of ${id} are revoked; write the broker's files again\n`)
  })

/** `sluice access files`: who may sign in to the broker and for what; new passwords for ingest and API each time. */
export const writeAccessFiles = (settings: ServiceSettings, folder: string, log: Logger): Promise<void> =>
  withRegistry(settings, log, async (registry) => {
    const services = (['ingest', 'api'] as const).map((kind) => ({ kind, password: secret() }))
    const accounts: Account[] = [
      ...services.map(({ kind, password }): Account => ({ user: `sluice-${kind}`, hash: hashMqttPassword(password), principal: { kind } })),
      ...(await registry.keys.all()).filter((k) => k.revokedAt === null).map(siteAccount),
    ]
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 })
    write('acl', mosquittoAcl(accounts))
    write('passwords', mosquittoPasswords(accounts))
    write('accounts.json', `${JSON.stringify(accounts, null, 1)}\n`)
    for (const { kind, password } of services)
      write(`${kind}.env`, `SLUICE_MQTT_USERNAME=sluice-${kind}\nSLUICE_MQTT_PASSWORD=${password}\n`)
    process.stdout.write(
      `${accounts.length} accounts in ${folder}: acl and passwords for Mosquitto, accounts.json for the embedded broker, ingest.env and api.env for the services\n`,
    )
  })
