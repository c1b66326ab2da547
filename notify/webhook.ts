import { createHmac } from 'node:crypto'
import { type Environment, isLoopback, notifyFault, type OpenReceiver } from './channels.ts'
import type { WebhookReceiver } from './settings.ts'

const LEAST_SECRET = 16

/**
 * Posts the message as JSON to the configured address and to no other: a redirect is an error. The header `Sluice-Signature` is
 * `t=<Unix seconds>,v1=<hex>` with HMAC-SHA256 over `<t>.<body>`.
 */
export function webhookSender(receiver: WebhookReceiver, env: Environment): Pick<OpenReceiver, 'send' | 'secrets'> {
  const address = receiver.url ?? read(receiver, receiver.url_env, env)
  const secret = read(receiver, receiver.secret_env, env)
  if (secret.length < LEAST_SECRET)
    throw notifyFault(`the secret of ${receiver.name} is shorter than ${LEAST_SECRET} characters`, `set a longer ${receiver.secret_env}`)
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw notifyFault(`the address of ${receiver.name} is no URL`, 'write https://HOST/PATH')
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw notifyFault(`the address of ${receiver.name} is not encrypted`, 'write https://; http:// is for this machine only')
  return {
    secrets: [secret, address, `${url.pathname}${url.search}`, url.search, url.password].filter((s) => s.length > 1),
    send: async (message, signal) => {
      const body = JSON.stringify(message)
      const t = Math.floor(Date.now() / 1000)
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        signal,
        headers: {
          'content-type': 'application/json',
          'sluice-message': message.id,
          'sluice-signature': `t=${t},v1=${signatureOf(body, { secret, t })}`,
        },
        body,
      })
      await response.body?.cancel()
      if (!response.ok) throw new Error(`the webhook answered ${response.status}`)
      return ''
    },
  }
}

/** @returns hex. */
export const signatureOf = (body: string, { secret, t }: { secret: string; t: number }): string =>
  createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')

function read(receiver: WebhookReceiver, name: string | undefined, env: Environment): string {
  if (name === undefined) throw notifyFault(`${receiver.name} has neither url nor url_env`, 'give one of them')
  const value = env[name]
  if (value === undefined || value === '') throw notifyFault(`${receiver.name} needs ${name} in the environment`, `set ${name}`)
  return value
}
