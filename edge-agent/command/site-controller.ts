import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { decodeCommand, decodeTimeAnswer, encodeReport, encodeStatus, NONCE_BYTES } from '#contract/command.ts'
import type { Reading } from '#contract/reading.ts'
import { DecodeFault, decodePayload, metricValue, type SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { NAMES, type NodeAddress } from '#contract/topics.ts'
import type { Newest } from '../newest.ts'
import { agree, type ClockTrust, isTrusted } from './clock-trust.ts'
import type { World } from './machine-state.ts'
import { plantOf } from './plant.ts'
import type { SiteControl, StructureControl } from './settings.ts'
import { openKept } from './store.ts'
import { type drivesOf, StructureController } from './structure-controller.ts'
import { openSealed, openSigned, seal, siteKeyOf, trustedKeys } from './verify.ts'

export type Controlled = {
  readonly structure: string
  readonly leaves: number
  readonly control: StructureControl
  readonly drives: ReturnType<typeof drivesOf>
  readonly readNow: () => Promise<void>
}

export type SiteControllerDeps = {
  readonly address: NodeAddress
  readonly settings: SiteControl
  readonly structures: readonly Controlled[]
  readonly newest: Newest
  readonly aliasesOf: (structure: string) => ReadonlyMap<string, number>
  readonly link: {
    readonly online: boolean
    publish(device: string, metrics: SparkplugMetric[]): Promise<unknown>
    publishNode(metrics: SparkplugMetric[]): Promise<unknown>
  }
  readonly now: () => number
  /** A clock that no one sets, in ms. */
  readonly elapsed: () => number
  readonly log: Logger
}

/** Until the time is agreed the agent asks often. */
const ASK_AGAIN_MS = 15_000

/** Control at one site: opens seals, agrees on time and counters with the center, and hands each structure its commands. */
export class SiteController {
  readonly #deps: SiteControllerDeps
  readonly #keys: ReturnType<typeof trustedKeys>
  readonly #siteKey: Buffer
  readonly #structures = new Map<string, StructureController>()
  #trust: ClockTrust = { kind: 'untrusted' }
  #asked: { readonly nonce: string; readonly at: number } | null = null
  #timer: NodeJS.Timeout | undefined
  #ended = false

  private constructor(deps: SiteControllerDeps) {
    this.#deps = deps
    this.#keys = trustedKeys(deps.settings.command_keys)
    this.#siteKey = siteKeyOf(deps.settings.site_key)
  }

  static async open(deps: SiteControllerDeps): Promise<SiteController> {
    const site = new SiteController(deps)
    for (const s of deps.structures) {
      const log = deps.log.child({ structure: s.structure })
      const store = await openKept(deps.settings.state, { ...s, log })
      const controller = new StructureController({
        settings: { structure: s.structure, control: s.control },
        store,
        drives: s.drives,
        world: () => site.#world(s),
        readNow: s.readNow,
        tell: ({ about, content }) => site.#tell(s.structure, about, content),
        log,
      })
      site.#structures.set(s.structure, controller)
    }
    return site
  }

  /** The session has begun. */
  online(): void {
    this.#ask()
  }

  /** New readings of a structure are known. */
  tick(structure: string): void {
    this.#structures.get(structure)?.tick()
  }

  /** Where an automatic mode of this agent has the gate, the mode says so, unless a hand has it. */
  withMode(structure: string, readings: ReadonlyMap<string, Reading>): ReadonlyMap<string, Reading> {
    const mode = readings.get('mode')
    if (!this.#structures.get(structure)?.isAutomatic || mode?.quality !== 'good' || mode.value === 0) return readings
    return new Map([...readings, ['mode', { quality: 'good', value: 2 }]])
  }

  /** What a DCMD to `device` holds. Kept messages are nobody's word of now, and are not taken. */
  receive(device: string, payload: Uint8Array, options: { readonly retained: boolean }): void {
    const { log } = this.#deps
    if (options.retained) {
      log.warn({ device }, 'a retained command is not taken')
      return
    }
    try {
      for (const metric of decodePayload(payload).metrics) {
        const value = metricValue(metric)
        if (metric.name === NAMES.command && value instanceof Uint8Array) this.#command(device, value)
      }
    } catch (error) {
      if (!(error instanceof DecodeFault)) throw error
      log.warn({ device }, 'a command that is not Sparkplug B')
    }
  }

  #command(device: string, bytes: Uint8Array): void {
    const structure = this.#structures.get(device)
    if (!structure) return
    const content = openSigned('command', bytes, this.#keys)
    if (!content) {
      structure.refuse({ id: 'unsigned', counter: 0 }, 'bad_signature')
      return
    }
    const command = decodeCommand(content)
    if (!command) {
      structure.refuse({ id: 'malformed', counter: 0 }, 'malformed')
      return
    }
    const { area, site } = command
    const isOurs = command.structure === device && area === this.#deps.address.group && site === this.#deps.address.node
    if (isOurs) structure.command(command)
    else structure.refuse(command, 'wrong_structure')
  }

  /** Whether a leaf is on its way, or may be. */
  get isMoving(): boolean {
    return [...this.#structures.values()].some((s) => s.isMoving)
  }

  /** The host's signed answer to our question. @returns whether it is one. */
  receiveTime(bytes: Uint8Array): boolean {
    const { settings, now, elapsed, address, log } = this.#deps
    const content = openSigned('time', bytes, this.#keys)
    const answer = content && decodeTimeAnswer(content)
    const asked = this.#asked
    if (!answer || !asked || answer.nonce !== asked.nonce || answer.site !== address.node) return false
    this.#asked = null
    const before = this.#trust.kind
    this.#trust = agree({ asked: asked.at, answered: elapsed(), hostTime: answer.t, wallNow: now() }, settings)
    if (this.#trust.kind === 'untrusted')
      log.warn({ host: answer.t, here: now() }, 'the clock differs from the host’s: commands are refused, but for stop')
    else if (before === 'untrusted') log.info('the time is agreed with the host')
    for (const [structure, controller] of this.#structures) {
      controller.agreed(answer.counters[structure] ?? 0)
      controller.tick()
    }
    this.#again()
    return true
  }

  /** @returns the receipt inside the seal, or null: nothing may be deleted on it. */
  openReceipt(bytes: Uint8Array): Uint8Array | null {
    return openSealed('receipt', bytes, this.#siteKey)
  }

  /** @returns the id of the commissioning record that the center has, or null: the record is told on. */
  openCommissioned(bytes: Uint8Array): string | null {
    const content = openSealed('commissioned', bytes, this.#siteKey)
    return content && new TextDecoder().decode(content)
  }

  /** Metrics of the device's birth beside its values. */
  birthMetrics(structure: string, timestamp: number): SparkplugMetric[] {
    const controller = this.#structures.get(structure)
    if (!controller) return []
    const aliases = this.#deps.aliasesOf(structure)
    const { report, status } = controller.newest
    const metric = (name: string, value: Uint8Array | null): SparkplugMetric => {
      const alias = aliases.get(name)
      return { name, ...(alias !== undefined && { alias }), timestamp, datatype: 'Bytes', value }
    }
    return [
      metric(NAMES.command, null),
      metric(NAMES.commandState, report && seal('state', encodeReport(report), this.#siteKey)),
      metric(NAMES.control, seal('control', encodeStatus(status), this.#siteKey)),
    ]
  }

  async close(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#timer)
    await Promise.all([...this.#structures.values()].map((s) => s.close()))
  }

  #world({ structure, leaves, control }: Controlled): World {
    const { now, elapsed, newest, link, settings } = this.#deps
    const [wall, at] = [now(), elapsed()]
    const plant = plantOf(newest.of(structure), { leaves, now: wall, staleAfterMs: control.stale_after_s * 1000 })
    const time = isTrusted(this.#trust, { wall, elapsed: at }, settings) ? 'trusted' : 'untrusted'
    return { now: wall, elapsed: at, time, contact: link.online, plant }
  }

  #tell(structure: string, about: 'state' | 'control', content: Uint8Array): void {
    const name = about === 'state' ? NAMES.commandState : NAMES.control
    const alias = this.#deps.aliasesOf(structure).get(name)
    const metric: SparkplugMetric = {
      ...(alias === undefined ? { name } : { alias }),
      timestamp: this.#deps.now(),
      datatype: 'Bytes',
      value: seal(about, content, this.#siteKey),
    }
    // Lost on the way: the next birth tells it, or the center asks again.
    void this.#deps.link.publish(structure, [metric])
  }

  #ask(): void {
    if (this.#ended) return
    const nonce = randomBytes(NONCE_BYTES)
    this.#asked = { nonce: nonce.toString('hex'), at: this.#deps.elapsed() }
    void this.#deps.link.publishNode([{ name: NAMES.nonce, timestamp: this.#deps.now(), datatype: 'Bytes', value: new Uint8Array(nonce) }])
    this.#again()
  }

  #again(): void {
    clearTimeout(this.#timer)
    if (this.#ended) return
    const { settings, now, elapsed } = this.#deps
    const trusted = isTrusted(this.#trust, { wall: now(), elapsed: elapsed() }, settings)
    this.#timer = setTimeout(() => this.#ask(), trusted ? settings.time_every_s * 1000 : ASK_AGAIN_MS)
  }
}
