import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import type { MessageRow } from '#registry/notifications.ts'
import type { Registry } from '#registry/port.ts'
import { type Environment, type OpenReceiver, openReceivers, withoutSecrets } from './channels.ts'
import { dueTellings, mayFollow, type Telling } from './due.ts'
import { composeMessage } from './message.ts'
import type { NotifySettings } from './settings.ts'

const EVERY_MS = 1000
const SECOND_MS = 1000
const MINUTE_MS = 60_000
/** A try takes no longer, so nobody else begins one before this one has ended. */
const TRY_MS = 15_000
const CLAIM_MS = 60_000
const FIRST_RETRY_MS = 10_000
const LONGEST_RETRY_MS = 10 * MINUTE_MS
const SENT_AT_ONCE = 4

type Deps = {
  readonly registry: Pick<Registry, 'alarms' | 'notifications' | 'district'>
  readonly log: Logger
  readonly env: Environment
  readonly now: () => number
}

/**
 * Tells people outside of alarms. What is told is in the registry before it is sent, so that a restart loses nothing and tells nothing
 * twice; several of them may run, since the registry lets each message be made and tried by one only.
 */
export class Notifier {
  readonly #settings: NotifySettings
  readonly #deps: Deps
  readonly #receivers: ReadonlyMap<string, OpenReceiver>
  readonly #stop = new AbortController()
  /** When something was first due, by step and receiver: others have until `gather_s` later to join. */
  readonly #since = new Map<string, number>()
  #running: Promise<void> | undefined
  #announced = false

  constructor(settings: NotifySettings, receivers: readonly OpenReceiver[], deps: Deps) {
    this.#settings = settings
    this.#receivers = new Map(receivers.map((r) => [r.name, r]))
    this.#deps = deps
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { log } = this.#deps
    while (!this.#stop.signal.aborted) {
      try {
        await this.look()
        await this.send()
        if (this.#announced) log.info('notifications go on')
        this.#announced = false
      } catch (error) {
        if (!this.#announced) log.warn({ error: messageOf(error) }, 'nobody can be told of alarms now; trying again')
        this.#announced = true
      }
      await sleep(EVERY_MS, undefined, { signal: this.#stop.signal }).catch(ignoreAbort)
    }
  }

  /** Makes the messages that are due. @throws Fault REGISTRY_UNREACHABLE */
  async look(): Promise<void> {
    const { registry, now } = this.#deps
    const { gather_s, every_s } = this.#settings
    const at = now()
    const [alarms, told, recent] = await Promise.all([
      registry.alarms.present(),
      registry.notifications.told(),
      registry.notifications.recent(at - every_s * SECOND_MS),
    ])
    const tellings = dueTellings(this.#settings, { alarms, told }, at)
    const keys = new Set(tellings.map(keyOf))
    for (const key of this.#since.keys()) if (!keys.has(key)) this.#since.delete(key)
    for (const telling of tellings) {
      const since = this.#since.get(keyOf(telling)) ?? at
      this.#since.set(keyOf(telling), since)
      if (at - since < gather_s * SECOND_MS || !mayFollow(telling, recent)) continue
      await this.#put(telling, at)
      this.#since.delete(keyOf(telling))
    }
  }

  async #put(telling: Telling, at: number): Promise<void> {
    const { registry, log } = this.#deps
    const receiver = this.#receivers.get(telling.receiver)
    if (!receiver) throw new Error(`there is no receiver ${telling.receiver}`)
    const [areas, sites, structures] = await Promise.all([
      registry.district.areas(),
      registry.district.sites(),
      registry.district.structures(),
    ])
    const wording = { language: receiver.language, utcOffsetMin: this.#settings.utc_offset_min }
    const body = composeMessage(telling, { id: randomUUID(), at, names: { areas, sites, structures }, ...wording })
    const { name, channel } = receiver
    const alarms = telling.alarms.map(({ id, occurrence }) => ({ id, occurrence }))
    if (await registry.notifications.put({ receiver: name, channel, body, alarms }))
      log.info({ message: body.id, receiver: name, step: body.step, alarms: body.total }, 'alarms are told')
  }

  /** Sends what is due; several receivers at a time, since one may hang. @throws Fault REGISTRY_UNREACHABLE */
  async send(): Promise<void> {
    const { registry, now } = this.#deps
    const sending: Promise<void>[] = []
    while (sending.length < SENT_AT_ONCE) {
      const message = await registry.notifications.claim(now(), now() + CLAIM_MS)
      if (!message) break
      sending.push(this.#try(message))
    }
    await Promise.all(sending)
  }

  async #try(message: MessageRow): Promise<void> {
    const { registry, log, now } = this.#deps
    const { id, attempts } = message
    const receiver = this.#receivers.get(message.receiver)
    const about = { message: id, receiver: message.receiver, attempts }
    let unreached: string
    try {
      if (!receiver) throw new Error('this receiver is no longer in the configuration')
      // A stop waits for the answer: cut off, the message would have to come twice.
      unreached = await receiver.send(message.body, AbortSignal.timeout(TRY_MS))
    } catch (failure) {
      const error = withoutSecrets(reasonOf(failure), receiver?.secrets ?? [])
      if (now() - message.at >= this.#settings.give_up_min * MINUTE_MS) {
        log.error({ ...about, error }, 'a notification has failed and is given up')
        await registry.notifications.end(id, { state: 'failed', at: now(), error })
      } else {
        log.warn({ ...about, error }, 'a notification was not taken; it is tried again')
        await registry.notifications.retry(id, { nextAt: now() + waitAfter(attempts), error })
      }
      return
    }
    await registry.notifications.end(id, { state: 'sent', at: now(), error: unreached })
    log.info({ ...about, unreached }, 'a notification was taken')
  }
}

/** Starts telling, where the settings name anybody. @throws Fault CONFIG_INVALID */
export function startNotifier(settings: NotifySettings, deps: Omit<Deps, 'now'> & { now?: () => number }): Pick<Notifier, 'close'> {
  const notifier = new Notifier(settings, openReceivers(settings, deps.env), { now: Date.now, ...deps })
  if (settings.routes.length > 0) notifier.start()
  return notifier
}

const keyOf = ({ receiver, step }: Pick<Telling, 'receiver' | 'step'>): string => `${step} ${receiver}`
const waitAfter = (attempts: number): number => Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(16, attempts - 1))

/** `fetch failed` says nothing; what is behind it does. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error ? `${messageOf(error)}: ${messageOf(cause)}` : messageOf(error)
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}
