import { createTransport } from 'nodemailer'
import { isLoopback, notifyFault, type Send } from './channels.ts'
import type { NotifySettings } from './settings.ts'

const TIMEOUT_MS = 10_000

/** E-mail by the configured server. A second try has the same Message-ID, by which mail programs know it. */
export function emailSender(smtp: NotifySettings['smtp']): { to: (addresses: readonly string[]) => Send; secrets: readonly string[] } {
  const { host, port, security, username, password, from } = smtp
  if (host === '') throw notifyFault('a receiver is reached by e-mail and no mail server is given', 'set notify.smtp.host')
  if (security === 'none' && !isLoopback(host))
    throw notifyFault(
      'the mail server is not on this machine and the connection not encrypted',
      'set notify.smtp.security to starttls or tls',
    )
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
  })
  const domain = from.slice(from.lastIndexOf('@') + 1)
  return {
    secrets: password === undefined ? [] : [password],
    to: (addresses) => async (message) => {
      const { rejected } = await transport.sendMail({
        from,
        to: [...addresses],
        subject: message.subject,
        text: message.text,
        messageId: `<${message.id}@${domain}>`,
        date: new Date(message.at),
      })
      // The others have it: to send it again would be to tell them twice.
      return rejected.length === 0 ? '' : `the mail server refused ${rejected.length} of ${addresses.length} addresses`
    },
  }
}
