import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import { type ConfigNews, type ConfigOffer, decodeConfigOrder, encodeConfigNews, type RunningConfig } from '#contract/site-config.ts'
import type { SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { NAMES } from '#contract/topics.ts'
import { openSigned, seal, siteKeyOf, trustedKeys } from '../command/verify.ts'
import type { CheckResult } from '../commission/check.ts'
import type { EdgeSettings } from '../settings.ts'
import type { CenterLink } from './center-link.ts'
import { centerPartOf, hashOfConfig } from './center-part.ts'
import { type ConfigStore, openConfigStore } from './config-store.ts'
import { atStart, inContact, type KeptConfig, type KeptVersion, offered, rolledBack, runningOf, setAside, type Teller } from './trial.ts'

/** One run of the agent, as it is needed here. */
export type Run = {
  /** Whether a leaf moves: nobody changes settings under it. */
  isMoving(): boolean
  close(): Promise<void>
}

export type SiteAgentDeps<R extends Run> = {
  /** @throws Fault for settings with which no agent runs. */
  readonly open: (settings: EdgeSettings, center: CenterLink | undefined) => Promise<R>
  /** {@link checkOffer} with the site's own settings and profiles. */
  readonly check: (written: { readonly file: string; readonly text: string }) => CheckResult
  readonly now: () => number
  readonly log: Logger
  /** Where versions are kept, where it is not the outbox's folder. */
  readonly store?: ConfigStore
  /** The agent can run neither with a new version nor with what ran before. */
  readonly onFatal: (error: unknown) => void
}

/** A longer text than may be sent, deflated to nothing, must not fill the memory. */
const MOST_INFLATED = 1_048_576
const LOOK_AGAIN_MS = 1000
/** A text costs bytes of the data plan: asked for over and over, it is told once in this time. */
const TELL_TEXT_EVERY_MS = 10_000

/**
 * The agent of a site over changes of its configuration: runs it with the site's own file or with a version of the center's, takes a new one on
 * trial, and goes back by itself when the center is not heard with it. Readings wait in the outbox meanwhile: each run closes it and the next opens it.
 */
export class SiteAgent<R extends Run> {
  readonly #own: { readonly settings: EdgeSettings; readonly text: string; readonly running: RunningConfig }
  readonly #deps: SiteAgentDeps<R>
  readonly #store: ConfigStore | null
  readonly #keys: ReturnType<typeof trustedKeys>
  readonly #ending = new AbortController()
  #kept: KeptConfig
  #run: R | undefined
  /** Counts the runs: what an earlier one still says is not heard. */
  #turn = 0
  #publish: ((metrics: SparkplugMetric[]) => Promise<unknown>) | null = null
  /** One change after the other. */
  #working: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #untold = false
  #toldTextAt = Number.NEGATIVE_INFINITY

  private constructor(own: { settings: EdgeSettings; text: string }, deps: SiteAgentDeps<R>, store: ConfigStore | null) {
    const text = centerPartOf(own.text)
    this.#own = { settings: own.settings, text, running: { version: null, hash: hashOfConfig(text) } }
    this.#deps = deps
    this.#store = store
    this.#keys = trustedKeys(own.settings.control?.command_keys ?? [])
    this.#kept = store?.kept ?? { v: 1, seen: 0, in_force: null, trial: null, report: null }
  }

  /**
   * A site without keys believes nobody, so it runs with its own file alone.
   * @param own the site's file, checked. @throws as `open`, and system errors of the folder
   */
  static async open<R extends Run>(own: { settings: EdgeSettings; text: string }, deps: SiteAgentDeps<R>): Promise<SiteAgent<R>> {
    const store = own.settings.control ? (deps.store ?? (await openConfigStore(own.settings.outbox.path, deps.log))) : null
    const agent = new SiteAgent(own, deps, store)
    if (store) await agent.#keep(atStart(agent.#kept, agent.#teller()))
    await agent.#open()
    return agent
  }

  /** The run of now. While one gives way to the next it is the one that has ended. */
  get run(): R {
    if (!this.#run) throw new Error('the agent is not open')
    return this.#run
  }

  /** Resolves when no change is on its way. */
  async idle(): Promise<void> {
    await this.#working
  }

  async close(): Promise<void> {
    this.#ending.abort()
    clearTimeout(this.#timer)
    await this.#working
    await this.#run?.close()
  }

  #teller(): Teller {
    return { site: this.#own.settings.site, own: this.#own.running, t: this.#deps.now() }
  }

  async #keep(next: KeptConfig): Promise<void> {
    if (next === this.#kept) return
    await this.#store?.keep(next)
    if (next.report !== this.#kept.report) this.#untold = true
    this.#kept = next
  }

  /** Runs with what is kept; where that can't be run, with what was before, down to the site's own file. */
  async #open(): Promise<void> {
    for (;;) {
      const version = this.#kept.trial?.version ?? this.#kept.in_force
      try {
        this.#run = await this.#begin(version)
        break
      } catch (error) {
        if (!version) throw error
        const why = `the agent can not run with it: ${messageOf(error)}`
        this.#deps.log.error({ version: version.version, why }, 'a configuration from the center is given up')
        await this.#keep(this.#kept.trial ? rolledBack(this.#kept, why, this.#teller()) : setAside(this.#kept, why, this.#teller()))
      }
    }
    if (this.#kept.trial) this.#awaitContact(this.#kept.trial.trial_s * 1000)
  }

  async #begin(version: KeptVersion | null): Promise<R> {
    const { open, check, log } = this.#deps
    this.#turn += 1
    this.#publish = null
    if (!this.#store) return await open(this.#own.settings, undefined)
    const turn = this.#turn
    const center: CenterLink = {
      running: runningOf(this.#kept, this.#own.running),
      ordered: (bytes) => this.#ordered(bytes, turn),
      contact: () => this.#contact(turn),
      online: (publish) => {
        if (turn !== this.#turn) return
        this.#publish = publish
        if (this.#untold) this.#tellReport()
      },
    }
    if (!version) return await open(this.#own.settings, center)
    const checked = check({ file: fileOf(version), text: version.text })
    if (checked.kind === 'refused') throw new Error(checked.errors.join('\n'))
    log.info({ version: version.version, hash: version.hash }, 'running with a configuration from the center')
    return await open(checked.settings, center)
  }

  #ordered(bytes: Uint8Array, turn: number): void {
    const { log } = this.#deps
    if (turn !== this.#turn) return
    const content = openSigned('config', bytes, this.#keys)
    const order = content && decodeConfigOrder(inflated(content))
    if (!order) {
      log.warn('an order about the configuration that no key of the center has signed, or of another version')
      return
    }
    const { site, area } = this.#own.settings
    if (order.site !== site || order.area !== area) log.warn({ site: order.site }, 'an order about the configuration of another site')
    else if (order.kind === 'read') this.#tellText()
    else this.#do(() => this.#take(order))
  }

  #contact(turn: number): void {
    if (turn !== this.#turn || !this.#kept.trial) return
    this.#do(async () => {
      if (turn !== this.#turn || !this.#kept.trial) return
      const { version } = this.#kept.trial.version
      await this.#keep(inContact(this.#kept, this.#teller()))
      clearTimeout(this.#timer)
      this.#deps.log.info({ version }, 'the center is heard with the new configuration: it is in force')
      this.#tellReport()
    })
  }

  async #take(offer: ConfigOffer): Promise<void> {
    const { log } = this.#deps
    // A newer one waits for the end of the trial; the center sends it again.
    if (offer.version !== this.#kept.seen && this.#kept.trial) return
    if (offer.version <= this.#kept.seen) {
      this.#answerOld(offer.version)
      return
    }
    if (this.#run?.isMoving()) {
      log.info({ version: offer.version }, 'a leaf moves: the new configuration waits until the center sends it again')
      return
    }
    const hash = hashOfConfig(offer.text)
    const running = runningOf(this.#kept, this.#own.running)
    const verdict = offer.basis !== null && offer.basis !== running.hash ? otherBasis(running) : this.#verdictOn(offer)
    await this.#keep(offered(this.#kept, offer, verdict, { ...this.#teller(), hash }))
    this.#tellReport()
    log.info(
      { version: offer.version, hash, refused: verdict },
      verdict === null ? 'a new configuration is on trial' : 'a configuration is refused',
    )
    if (verdict === null) await this.#swap()
  }

  #verdictOn(offer: ConfigOffer): string | null {
    const checked = this.#deps.check({ file: fileOf(offer), text: offer.text })
    return checked.kind === 'refused' ? checked.errors.join('\n') : null
  }

  #answerOld(version: number): void {
    const { report, seen } = this.#kept
    if (report?.version === version) {
      this.#tellReport()
      return
    }
    const { site, own, t } = this.#teller()
    const reason = `version ${seen} was here already`
    void this.#tell({ v: 1, kind: 'report', site, version, state: 'refused', reason, seen, running: runningOf(this.#kept, own), t })
  }

  /** Ends the run and begins the next. */
  async #swap(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#run?.close()
    try {
      await this.#open()
    } catch (error) {
      this.#deps.onFatal(error)
    }
  }

  #awaitContact(ms: number): void {
    const turn = this.#turn
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#do(() => this.#giveUp(turn)), ms)
  }

  async #giveUp(turn: number): Promise<void> {
    const { trial } = this.#kept
    if (turn !== this.#turn || !trial) return
    if (this.#run?.isMoving()) {
      this.#awaitContact(LOOK_AGAIN_MS)
      return
    }
    const reason = `the center was not heard within ${trial.trial_s} s`
    this.#deps.log.warn({ version: trial.version.version }, `${reason} with the new configuration: going back`)
    await this.#keep(rolledBack(this.#kept, reason, this.#teller()))
    await this.#swap()
  }

  #do(work: () => Promise<void>): void {
    this.#working = this.#working.then(async () => {
      if (this.#ending.signal.aborted) return
      try {
        await work()
      } catch (error) {
        // The disk did not take it: what is kept is as it was. On trial the next contact, or the end of the time, tries again.
        this.#deps.log.error({ error: messageOf(error) }, 'a change of the configuration could not be kept')
        if (this.#kept.trial) this.#awaitContact(LOOK_AGAIN_MS)
      }
    })
  }

  #tellText(): void {
    const at = performance.now()
    if (at - this.#toldTextAt < TELL_TEXT_EVERY_MS) return
    this.#toldTextAt = at
    const { site, own, t } = this.#teller()
    const version = this.#kept.trial?.version ?? this.#kept.in_force
    void this.#tell({ v: 1, kind: 'text', site, running: runningOf(this.#kept, own), text: version?.text ?? this.#own.text, t })
  }

  #tellReport(): void {
    const { report } = this.#kept
    if (!report || !this.#publish) return
    this.#untold = false
    void this.#tell(report)
  }

  /** Lost on the way it is told again: the center asks until it knows. */
  async #tell(news: ConfigNews): Promise<void> {
    const { control } = this.#own.settings
    if (!control || !this.#publish) return
    const value = seal('config_news', new Uint8Array(deflateRawSync(encodeConfigNews(news))), siteKeyOf(control.site_key))
    await this.#publish([{ name: NAMES.configNews, timestamp: this.#deps.now(), datatype: 'Bytes', value }])
  }
}

const fileOf = ({ version }: { readonly version: number }): string => `version-${version}.yaml`

const otherBasis = (running: RunningConfig): string =>
  `the site runs another configuration than the one that was edited (${running.hash}${running.version === null ? ', its own file' : `, version ${running.version}`}): read it first`

function inflated(content: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(inflateRawSync(content, { maxOutputLength: MOST_INFLATED }))
  } catch {
    // Signed by the center, and not as this version writes it: no order.
    return new Uint8Array()
  }
}
