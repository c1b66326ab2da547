import { createHash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Logger } from 'pino'
import type { Site } from '#contract/district.ts'
import { Fault, messageOf } from '#contract/fault.ts'
import { CONFIG_HASH_CHARS, type ConfigNews, type ConfigOrder, decodeConfigNews, encodeConfigOrder } from '#contract/site-config.ts'
import type { NodeAddress } from '#contract/topics.ts'
import type { UnixMs } from '#contract/units.ts'
import type { SiteKey } from '#registry/control-port.ts'
import type { Registry } from '#registry/port.ts'
import type { SiteConfigRow } from '#registry/site-configs.ts'
import type { ControlLink } from '../control/link.ts'
import { openSeal } from '../control/seal.ts'
import type { Signer } from '../control/signer.ts'
import type { LastSites } from '../live/site-states.ts'

type Deps = {
  readonly registry: Pick<Registry, 'siteConfigs' | 'audit'>
  /** Null where the center has no signing key: no site believes it then. */
  readonly signer: Signer | null
  readonly link: Pick<ControlLink, 'config'>
  readonly keyOf: (site: string) => Promise<SiteKey | undefined>
  readonly sites: Pick<LastSites, 'get'>
  readonly now: () => UnixMs
  readonly log: Logger
}

const LOOK_EVERY_MS = 5000
/** An agent that does not answer is asked again soon, then seldom: a text costs bytes of its data plan. */
const OFTEN_MS = 15_000
const OFTEN_FOR_MS = 120_000
const SELDOM_MS = 300_000
const GIVE_UP_MS = 24 * 3_600_000
/** A longer text than an agent may send, deflated to nothing, must not fill the memory. */
const MOST_INFLATED = 1_048_576

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, CONFIG_HASH_CHARS)

/** The center's side of sites' configurations: numbers, signs, sends until answered, and keeps what the agents say. */
export class ConfigDesk {
  readonly #deps: Deps
  readonly #sentAt = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #looking = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Keeps and sends a new version. @throws Fault CONFLICT where the site believes nobody. */
  async send(
    site: Site,
    by: string,
    asked: { readonly text: string; readonly basis: string | null; readonly why: string; readonly trialS: number },
  ): Promise<SiteConfigRow> {
    const { registry, now } = this.#deps
    const signer = await this.#require(site.id)
    const { text, basis, why, trialS } = asked
    const at = now()
    const offer = (version: number): ConfigOrder => ({
      v: 1,
      kind: 'offer',
      area: site.area,
      site: site.id,
      version,
      basis,
      trial_s: trialS,
      text,
    })
    const row = await registry.siteConfigs.add({
      site: site.id,
      area: site.area,
      hash: hashOf(text),
      text,
      trialS,
      by,
      why,
      at,
      sign: (version) => Buffer.from(signed(signer, offer(version))).toString('base64'),
    })
    await registry.audit.append({
      at,
      who: by,
      action: 'config.send',
      subject: site.id,
      details: { version: row.version, hash: row.hash, why, before: this.#deps.sites.get(site.id)?.health.config_hash ?? basis },
    })
    this.#publish(row)
    return row
  }

  /** Asks the agent for the text that it runs with; it comes, or not, as a version in the list. @throws Fault CONFLICT */
  async askText(site: Site): Promise<void> {
    const signer = await this.#require(site.id)
    this.#deps.link.config({ group: site.area, node: site.id }, signed(signer, { v: 1, kind: 'read', area: site.area, site: site.id }))
  }

  /** From an agent: sealed with its site's key, else nobody's word. */
  async takeNews(node: NodeAddress, sealed: Uint8Array): Promise<void> {
    const { keyOf, log } = this.#deps
    const key = await keyOf(node.node)
    const content = key && openSeal('config_news', sealed, key.siteKey)
    const news = content && decodeConfigNews(inflated(content))
    if (!key || !news || news.site !== node.node || key.area !== node.group) {
      log.warn({ ...node }, 'a report about a configuration without the seal of its site, or of another version')
      return
    }
    if (news.kind === 'report') await this.#takeReport(news)
    else await this.#takeText(news, key)
  }

  async #takeReport(report: Extract<ConfigNews, { kind: 'report' }>): Promise<void> {
    const { registry, now } = this.#deps
    const row = await registry.siteConfigs.takeReport(report, now())
    if (!row) return
    const { site, version, state, reason, running } = report
    await registry.audit.append({
      at: now(),
      who: `agent ${site}`,
      action: `config.${state}`,
      subject: site,
      details: { version, hash: row.hash, reason, running },
    })
  }

  async #takeText({ site, running, text }: Extract<ConfigNews, { kind: 'text' }>, { area }: SiteKey): Promise<void> {
    const { registry, now } = this.#deps
    // A version of ours is here already.
    if (running.version === null) await registry.siteConfigs.addTold({ site, area, hash: hashOf(text), text, at: now() })
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const open = await this.#deps.registry.siteConfigs.open()
      const tried = new Set(open.filter((row) => row.state === 'trial').map((row) => row.site))
      // What waits for the end of a trial is not sent meanwhile.
      for (const row of open) if (row.state === 'trial' || !tried.has(row.site)) await this.#follow(row)
      const known = new Set(open.map((row) => row.id))
      for (const id of this.#sentAt.keys()) if (!known.has(id)) this.#sentAt.delete(id)
    } catch (error) {
      this.#deps.log.warn({ error: messageOf(error) }, 'open configurations could not be followed; trying again')
    } finally {
      this.#looking = false
    }
  }

  async #follow(row: SiteConfigRow): Promise<void> {
    const { registry, sites, now } = this.#deps
    const age = now() - row.madeAt
    if (age > GIVE_UP_MS) {
      const given = await registry.siteConfigs.giveUp(row.id, now())
      if (given)
        await registry.audit.append({
          at: now(),
          who: 'center',
          action: 'config.unanswered',
          subject: row.site,
          details: { version: row.version },
        })
      return
    }
    if (sites.get(row.site)?.online !== true) return
    const last = this.#sentAt.get(row.id)
    const wait = age < OFTEN_FOR_MS ? OFTEN_MS : SELDOM_MS
    if (last === undefined || now() - last >= wait) this.#publish(row)
  }

  #publish(row: SiteConfigRow): void {
    if (row.signed === null) return
    this.#sentAt.set(row.id, this.#deps.now())
    this.#deps.link.config({ group: row.area, node: row.site }, new Uint8Array(Buffer.from(row.signed, 'base64')))
  }

  async #require(site: string): Promise<Signer> {
    const { signer, keyOf } = this.#deps
    if (!signer) throw new Fault('CONFLICT', 'this center has no signing key', 'make one and name it in api.control.key_file')
    if (!(await keyOf(site)))
      throw new Fault('CONFLICT', `site ${site} has no keys, or they were revoked`, 'provision it: docs/provisioning.md')
    return signer
  }
}

/** Deflated before it is signed: links are slow, and YAML is long. */
const signed = (signer: Signer, order: ConfigOrder): Uint8Array =>
  signer.sign('config', new Uint8Array(deflateRawSync(encodeConfigOrder(order))))

function inflated(content: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(inflateRawSync(content, { maxOutputLength: MOST_INFLATED }))
  } catch {
    // Sealed by the site, and not as this version reads it.
    return new Uint8Array()
  }
}
