import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import {
  type Command,
  type CommandAction,
  type CommandNews,
  type ControlStatus,
  decodeReport,
  decodeStatus,
  encodeCommand,
  encodeTimeAnswer,
  NONCE_BYTES,
} from '#contract/command.ts'
import type { Structure } from '#contract/district.ts'
import { Fault, messageOf } from '#contract/fault.ts'
import type { CommandMessage } from '#contract/http/command.ts'
import type { NodeAddress } from '#contract/topics.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { CommandRow, SiteKey, Told } from '#registry/control-port.ts'
import type { Registry } from '#registry/port.ts'
import type { SignedIn } from '../auth/sessions.ts'
import type { ApiSettings } from '../settings.ts'
import type { ControlLink } from './link.ts'
import { canalHeld, gateBusy, selectionOver, taggedOut } from './refusals.ts'
import { openSeal } from './seal.ts'
import type { Signer } from './signer.ts'
import { commandView, lockoutView } from './view.ts'

export type DeskDeps = {
  readonly settings: ApiSettings['control']
  readonly registry: Registry
  /** Null where the center has no signing key: nothing is commanded then. */
  readonly signer: Signer | null
  readonly link: Pick<ControlLink, 'command' | 'time' | 'connected'>
  readonly show: (area: string, message: CommandMessage) => void
  readonly now: () => UnixMs
  readonly log: Logger
}

const KEYS_FRESH_MS = 5000
const ASK_EVERY_MS = 1000
/** So long after its last word an agent is asked again; so long without any, the row no longer blocks the structure. */
const SILENCE_MS = 5000
const GIVE_UP_MS = 120_000
/** An agent that refuses a tag says so by a new status: it is not told at once again. */
const TAG_AGAIN_MS = 60_000

/**
 * Kept or said again by the broker, after a newer word. An agent's counter never goes back: one that lost its disk has none, until the
 * center tells it the last a moment later. Times are compared only where both clocks were believed.
 */
const isOlder = (status: ControlStatus, known: ControlStatus | undefined): boolean =>
  known !== undefined &&
  ((status.counter ?? -1) < (known.counter ?? -1) || (status.time === 'trusted' && known.time === 'trusted' && status.t < known.t))

/** The center's side of commands: counters, signatures, sending until answered, and what the agents report. */
export class ControlDesk {
  readonly #deps: DeskDeps
  readonly #statuses = new Map<string, ControlStatus>()
  #keys: { readonly at: number; readonly bySite: ReadonlyMap<string, SiteKey> } | null = null
  readonly #told = new Set<string>()
  readonly #taggedAgain = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #asking = false

  constructor(deps: DeskDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#timer = setInterval(() => void this.#askAgain(), ASK_EVERY_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  status(structure: string): ControlStatus | null {
    return this.#statuses.get(structure) ?? null
  }

  async isAvailable(site: string): Promise<boolean> {
    return this.#deps.signer !== null && (await this.keyOf(site)) !== undefined
  }

  /** @throws Fault CONFLICT where this site can't be commanded. */
  async select(
    structure: Structure,
    by: SignedIn,
    asked: { readonly action: CommandAction; readonly needsSecond: boolean; readonly order: string | null },
  ): Promise<CommandRow> {
    const { registry, now, settings } = this.#deps
    await this.#require(structure.site)
    const at = now()
    const selection = {
      id: randomUUID(),
      structure: structure.id,
      area: structure.area,
      site: structure.site,
      action: asked.action,
      needsSecond: asked.needsSecond,
      by: by.person.login,
      session: by.tokenHash,
      order: asked.order,
      selectedAt: at,
      expiresAt: at + settings.selection_s * 1000,
    }
    return await registry.control.select(selection, this.#entry(by.person.login, 'command.select', { action: asked.action }))
  }

  /** Gives out the counter, signs, keeps and sends. @throws Fault GATE_BUSY, TAGGED_OUT, CANAL_HELD, SELECTION_OVER */
  async send(
    row: CommandRow,
    by: { readonly login: string; readonly approvedBy: string | null; readonly canal: string },
  ): Promise<CommandRow> {
    const { registry, now, settings } = this.#deps
    const signer = await this.#require(row.site)
    const at = now()
    const expiresAt = unixMs(at + settings.command_ttl_s * 1000)
    const right = row.action.kind === 'stop' || row.action.kind === 'tag' || row.action.kind === 'untag' ? 'always' : 'in turn'
    const outcome = await registry.control.issue({
      id: row.id,
      now: at,
      expiresAt,
      approvedBy: by.approvedBy,
      right,
      canal: by.canal,
      sign: ({ id, area, site, structure, action }, counter) => {
        const command: Command = { v: 1, id, area, site, structure, counter, issued: at, expires: expiresAt, by: row.by, action }
        return Buffer.from(signer.sign('command', encodeCommand(command))).toString('base64')
      },
      told: (sent) => {
        const details = { action: sent.action, counter: sent.counter, approved_by: by.approvedBy }
        return this.#entry(by.login, 'command.send', details)(sent)
      },
    })
    switch (outcome.kind) {
      case 'issued':
        this.#publish(outcome.row)
        this.#show(outcome.row)
        return outcome.row
      case 'busy':
        throw gateBusy(outcome.other)
      case 'tagged_out':
        throw taggedOut(outcome.lockout)
      case 'held':
        throw canalHeld(outcome.hold)
      case 'gone':
        throw selectionOver()
    }
  }

  /** What is done at once, without a selection: stop, tag, untag. */
  async atOnce(structure: Structure, by: SignedIn, action: CommandAction): Promise<CommandRow> {
    const row = await this.select(structure, by, { action, needsSecond: false, order: null })
    return await this.send(row, { login: by.person.login, approvedBy: null, canal: structure.canal })
  }

  /** Confirmed by who ordered it; a second person must still approve. @throws Fault CONFLICT */
  async await(row: CommandRow): Promise<void> {
    const { registry, now, settings } = this.#deps
    const at = now()
    const told = this.#entry(row.by, 'command.confirm', { waits_for: 'a second person' })
    const expiresAt = unixMs(at + settings.selection_s * 1000)
    const waits = row.expiresAt > at && (await registry.control.await(row.id, { now: at, expiresAt, told }))
    if (!waits) throw selectionOver()
    const waiting = await registry.control.command(row.id)
    if (waiting) this.#show(waiting)
  }

  async cancel(row: CommandRow, login: string): Promise<boolean> {
    const { registry, now } = this.#deps
    if (!(await registry.control.cancel(row.id, now(), this.#entry(login, 'command.cancel', {})))) return false
    const cancelled = await registry.control.command(row.id)
    if (cancelled) this.#show(cancelled)
    return true
  }

  async showLockouts(structure: Structure): Promise<void> {
    const lockouts = (await this.#deps.registry.control.lockouts(this.#deps.now())).filter((l) => l.structure === structure.id)
    this.#deps.show(structure.area, { gate: structure.id, command: null, status: null, lockouts: lockouts.map(lockoutView) })
  }

  /** From ingest: sealed by the agent, else nobody's word. */
  async takeNews(news: CommandNews): Promise<void> {
    const { registry, log, now } = this.#deps
    const key = await this.keyOf(news.site)
    const content = key && openSeal(news.about, new Uint8Array(Buffer.from(news.sealed, 'base64')), key.siteKey)
    if (!key || !content) {
      log.warn({ site: news.site, gate: news.gate }, 'a report about control without the seal of its site')
      return
    }
    if (news.about === 'control') {
      const status = decodeStatus(content)
      if (!status || status.structure !== news.gate || isOlder(status, this.#statuses.get(status.structure))) return
      this.#statuses.set(status.structure, status)
      if (status.counter !== null) await registry.control.raiseCounter(status.structure, status.counter)
      this.#deps.show(key.area, { gate: status.structure, command: null, status, lockouts: null })
      await this.#tagAgain(status, key)
      return
    }
    const report = decodeReport(content)
    if (!report || report.structure !== news.gate) return
    const row = await registry.control.takeReport(report, now(), (changed) =>
      this.#entry(`agent ${news.site}`, `command.${report.state}`, { reason: changed.reason, openings_m: report.openings_m })(changed),
    )
    if (!row) {
      await this.#takeUnasked(report, key)
      return
    }
    this.#show(row)
  }

  /** An agent that was away when its gate was tagged out is told of the tag. None is lifted so: only people do that. */
  async #tagAgain({ structure, tag, time }: ControlStatus, { area, site }: SiteKey): Promise<void> {
    const { registry, now, settings } = this.#deps
    if (tag !== null || time !== 'trusted') return
    const at = now()
    const inForce = (await registry.control.lockouts(at)).filter((l) => l.structure === structure)
    const [longest] = inForce.sort((a, b) => b.until - a.until)
    for (const [id, toldAt] of this.#taggedAgain) if (at - toldAt >= TAG_AGAIN_MS) this.#taggedAgain.delete(id)
    if (!longest || this.#taggedAgain.has(longest.id)) return
    this.#taggedAgain.set(longest.id, at)
    const { reason, by, byName, until } = longest
    const action: CommandAction = { kind: 'tag', reason, by: byName.slice(0, 100) || by, until }
    const times = { selectedAt: at, expiresAt: at + settings.selection_s * 1000 }
    const row = await registry.control.select(
      { id: randomUUID(), structure, area, site, action, needsSecond: false, by, session: 'center', order: null, ...times },
      this.#entry('center', 'command.select', { action }),
    )
    await this.send(row, { login: 'center', approvedBy: null, canal: '' })
  }

  /** A refusal of what no API sent, or a move that the agent made by itself: in the trail, once for each state. */
  async #takeUnasked(report: NonNullable<ReturnType<typeof decodeReport>>, key: SiteKey): Promise<void> {
    const forged = report.state === 'refused' && (report.reason === 'bad_signature' || report.reason === 'malformed')
    const ownMove = report.id.startsWith('preset-') || report.id.startsWith('automatic-')
    const mark = `${report.structure} ${report.id} ${report.state} ${Math.floor(report.t / 60_000)}`
    if ((!forged && !ownMove) || this.#told.has(mark)) return
    if (this.#told.size > 10_000) this.#told.clear()
    this.#told.add(mark)
    await this.#deps.registry.audit.append({
      at: this.#deps.now(),
      who: `agent ${key.site}`,
      action: `command.${report.state}`,
      subject: report.structure,
      details: { id: report.id, ...('reason' in report && { reason: report.reason }), openings_m: report.openings_m },
    })
  }

  /** The agent's question for time and counters. */
  async answer(node: NodeAddress, nonce: Uint8Array, structures: readonly Structure[]): Promise<void> {
    const { signer, registry, link, now } = this.#deps
    if (!signer || nonce.length !== NONCE_BYTES || !(await this.keyOf(node.node))) return
    const counters = await registry.control.counters(structures.filter((s) => s.site === node.node).map((s) => s.id))
    const content = encodeTimeAnswer({ v: 1, site: node.node, nonce: Buffer.from(nonce).toString('hex'), t: now(), counters })
    link.time(node, signer.sign('time', content))
  }

  /** Commands whose agent has not had the last word are sent again, as they were: the agent tells how far it is, and does nothing twice. */
  async #askAgain(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    try {
      const { registry, now } = this.#deps
      for (const row of await registry.control.open()) {
        const silent = now() - row.updatedAt
        if (silent > GIVE_UP_MS) {
          const given = await registry.control.giveUp(row.id, now(), this.#entry('center', 'command.no_answer', {}))
          if (given) this.#show(given)
        } else if (silent > SILENCE_MS && Math.floor(silent / ASK_EVERY_MS) % 5 === 0) this.#publish(row)
      }
    } catch (error) {
      this.#deps.log.warn({ error: messageOf(error) }, 'open commands could not be followed; trying again')
    } finally {
      this.#asking = false
    }
  }

  #publish(row: CommandRow): void {
    if (row.signed === null) return
    const sent = this.#deps.link.command(
      { group: row.area, node: row.site, device: row.structure },
      new Uint8Array(Buffer.from(row.signed, 'base64')),
    )
    if (!sent) this.#deps.log.warn({ id: row.id }, 'a command could not be sent: the broker is away')
  }

  #show(row: CommandRow): void {
    this.#deps.show(row.area, { gate: row.structure, command: commandView(row), status: null, lockouts: null })
  }

  async #require(site: string): Promise<Signer> {
    const { signer } = this.#deps
    if (!signer) throw new Fault('CONFLICT', 'this center has no signing key', 'make one and name it in api.control.key_file')
    if (!(await this.keyOf(site)))
      throw new Fault('CONFLICT', `site ${site} has no keys, or they were revoked`, 'provision it: docs/provisioning.md')
    return signer
  }

  /** Of a site that may be believed; revoked keys are none. */
  async keyOf(site: string): Promise<SiteKey | undefined> {
    const at = this.#deps.now()
    if (!this.#keys || at - this.#keys.at > KEYS_FRESH_MS || at < this.#keys.at) {
      const all = await this.#deps.registry.keys.all()
      this.#keys = { at, bySite: new Map(all.filter((k) => k.revokedAt === null).map((k) => [k.site, k])) }
    }
    return this.#keys.bySite.get(site)
  }

  #entry(who: string, action: string, details: Record<string, unknown>): Told {
    return ({ id, structure }) => ({ at: this.#deps.now(), who, action, subject: structure, details: { command: id, ...details } })
  }
}
