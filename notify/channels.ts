import { Fault } from '#contract/fault.ts'
import type { Channel, MessageBody } from '#contract/notification.ts'
import { emailSender } from './email.ts'
import type { NotifySettings } from './settings.ts'
import { webhookSender } from './webhook.ts'

/** Hands a message over. @returns whom it did not reach, empty for nobody. @throws what went wrong; a receiver that has it already knows it by its id. */
export type Send = (message: MessageBody, signal: AbortSignal) => Promise<string>
export type OpenReceiver = {
  readonly name: string
  readonly channel: Channel
  readonly language: 'zh' | 'en'
  readonly send: Send
  /** What must stand in no log and on no page. */
  readonly secrets: readonly string[]
}
export type Environment = Readonly<Record<string, string | undefined>>

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/
export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

/** Every receiver with its address and secrets, which the environment holds. @throws Fault CONFIG_INVALID for what could not work */
export function openReceivers(settings: NotifySettings, env: Environment): OpenReceiver[] {
  const { receivers, routes, smtp } = settings
  const names = receivers.map((r) => r.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw notifyFault(`two receivers are called ${twice}`, 'give each a name of its own')
  for (const route of routes)
    for (const name of [...route.to, ...route.escalate.flatMap((e) => e.to)])
      if (!names.includes(name))
        throw notifyFault(`route ${route.name} names the receiver ${name}, which is not there`, 'add it to receivers')
  const byEmail = receivers.some((r) => r.channel === 'email') ? emailSender(smtp) : undefined
  return receivers.map((receiver): OpenReceiver => {
    const { name, channel, language } = receiver
    if (receiver.channel === 'webhook') return { name, channel, language, ...webhookSender(receiver, env) }
    if (!byEmail) throw new Error('there is no mail server')
    const { addresses } = receiver
    return { name, channel, language, send: byEmail.to(addresses), secrets: byEmail.secrets }
  })
}

export const notifyFault = (message: string, next: string): Fault => new Fault('CONFIG_INVALID', `notify: ${message}`, next)

/** What a person is shown of an error: an address may hold a key, a server may say a password back. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((s) => s !== '')
    .reduce((t, secret) => t.replaceAll(secret, '***'), text)
    .slice(0, 500)
}
