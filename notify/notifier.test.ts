import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import pino from 'pino'
import { SMTPServer } from 'smtp-server'
import { Value } from 'typebox/value'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { parseConfig } from '#contract/config.ts'
import { MessageBody } from '#contract/notification.ts'
import type { ConditionRow } from '#registry/alarms.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { copyRegistry } from '#test/support/registry-template.ts'
import { tempFolder } from '#test/support/servers.ts'
import { openReceivers } from './channels.ts'
import { Notifier } from './notifier.ts'
import { NotifySettings } from './settings.ts'
import { signatureOf } from './webhook.ts'

const SECRET = 'a secret of the gateway'
const KEY = 'key-of-the-gateway'
const folder = tempFolder('notify')
const posts: { headers: IncomingHttpHeaders; body: string }[] = []
const mails: string[] = []
let answer = 200
let hook: Server
let smtp: SMTPServer
let smtpPort = 0
let hookUrl = ''
let registry: Registry
let logged = ''
let now = Date.parse('2026-06-01T04:00:00Z')
const log = pino(
  { level: 'debug' },
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged += chunk.toString()
      done()
    },
  }),
)

beforeAll(async () => {
  registry = await openRegistry(await copyRegistry(join(folder, 'registry')), { log, migrationsFolder: 'registry/migrations' })
  hook = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      posts.push({ headers: request.headers, body })
      response.writeHead(answer, { location: `${hookUrl}/elsewhere` }).end()
    })
  }).listen(0, '127.0.0.1')
  smtp = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'sluice' && password === SECRET
        ? done(null, { user: username })
        : done(new Error(`who is ${username} with ${password}?`)),
    onRcptTo: ({ address }, _session, done) => done(address.startsWith('nobody') ? new Error('no such mailbox') : null),
    onData: (stream, _session, done) => {
      let mail = ''
      stream.on('data', (chunk: Buffer) => {
        mail += chunk.toString()
      })
      stream.on('end', () => {
        mails.push(mail)
        done()
      })
    },
  })
  smtp.listen(0, '127.0.0.1')
  await Promise.all([once(hook, 'listening'), once(smtp.server, 'listening')])
  hookUrl = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/send?key=${KEY}`
  smtpPort = (smtp.server.address() as AddressInfo).port
})
afterAll(async () => {
  hook.close()
  await new Promise<void>((resolve) => {
    smtp.close(resolve)
  })
  await registry.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  posts.length = 0
  mails.length = 0
  answer = 200
  logged = ''
})
// What one test has raised is nothing to the next.
afterEach(async () => {
  const open = await registry.alarms.present()
  await registry.alarms.act(
    open.map((a) => a.id),
    { do: 'acknowledge' },
    { who: 'wang', at: now },
  )
  now += 3_600_000
})

const condition = (id: string, rest: Partial<ConditionRow> = {}): ConditionRow => ({
  ...{ id, kind: 'level_warning', area: 'yichang', site: null, gate: id.split(':')[1] ?? null, priority: 'high', phase: 'active' },
  ...{
    since: now,
    clearSince: null,
    sampleAt: now,
    occurrence: 1,
    value: 2.3,
    limit: 2.2,
    suppressed: false,
    raisedAt: now,
    returnedAt: null,
  },
  ...rest,
})
const raise = (...rows: ConditionRow[]): Promise<void> => registry.alarms.save(rows, [])

/** A notifier that has just been started, as after any restart. */
function notifier(routes: object[], changed: { smtp?: object; env?: Record<string, string> } = {}): Notifier {
  const settings = parseConfig(NotifySettings, {
    file: 'test',
    text: stringify({
      smtp: { host: '127.0.0.1', port: smtpPort, security: 'none', username: 'sluice', password: SECRET, ...changed.smtp },
      receivers: [
        { channel: 'webhook', name: 'gateway', url_env: 'HOOK_URL', secret_env: 'HOOK_SECRET', language: 'en' },
        { channel: 'email', name: 'office', addresses: ['wang@example.org', 'nobody@example.org'] },
      ],
      routes,
    }),
  })
  const env = { HOOK_URL: hookUrl, HOOK_SECRET: SECRET, ...changed.env }
  return new Notifier(settings, openReceivers(settings, env), { registry, log, env, now: () => now })
}
/** A look, the time to gather, a look, and what is due is sent. */
async function round(one: Notifier): Promise<void> {
  await one.look()
  now += 15_000
  await one.look()
  await one.send()
}
const list = async () => (await registry.notifications.list({}, { limit: 100, offset: 0 })).items

test('a storm of 300 gates is one signed message to the webhook and one e-mail, and after a restart none more', async () => {
  await raise(...Array.from({ length: 300 }, (_, i) => condition(`level_warning:storm-${i}`)))
  const routes = [{ name: 'all', to: ['gateway', 'office'] }]
  await round(notifier(routes))
  expect(posts).toHaveLength(1)
  const [post] = posts
  const message: unknown = JSON.parse(post?.body ?? '')
  if (!Value.Check(MessageBody, message)) throw new Error('no message')
  expect(message).toMatchObject({ total: 300, step: 0, priority: 'high', subject: expect.stringContaining('and 299 more') })
  expect(post?.headers['sluice-message']).toBe(message.id)
  const [, t, sum] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(post?.headers['sluice-signature'])) ?? []
  expect(sum).toBe(signatureOf(post?.body ?? '', { secret: SECRET, t: Number(t) }))
  expect(mails).toHaveLength(1)
  expect(mails[0]).toContain('To: wang@example.org')
  const byMail = (await list()).find((m) => m.channel === 'email')
  expect(mails[0]).toContain(`Message-ID: <${byMail?.id}@localhost>`)
  expect(byMail).toMatchObject({ state: 'sent', error: 'the mail server refused 1 of 2 addresses' })

  for (let i = 0; i < 3; i++) {
    now += 300_000
    await round(notifier(routes))
  }
  expect([posts.length, mails.length]).toEqual([1, 1])
})

test('a message that could not be handed over is the same message when it is tried again after a restart', async () => {
  const routes = [{ name: 'all', to: ['gateway'] }]
  answer = 503
  await raise(condition('level_warning:retry'))
  await round(notifier(routes))
  expect((await list())[0]).toMatchObject({ state: 'waiting', attempts: 1, error: 'the webhook answered 503' })
  // The next alarm waits until this one is through: it is told in the next message, not in one that has changed.
  await raise(condition('level_warning:retry-2'))
  answer = 200
  now += 10_000
  const after = notifier(routes)
  await round(after)
  now += 300_000
  await round(after)
  const bodies = posts.map((p) => p.body)
  expect(bodies).toHaveLength(3)
  expect(bodies[1]).toBe(bodies[0])
  expect(JSON.parse(bodies[2] ?? '')).toMatchObject({ total: 1, alarms: [{ gate: 'retry-2' }] })
})

test('what a process had in hand when it was killed is sent by the next one, under the same id', async () => {
  const routes = [{ name: 'all', to: ['gateway'] }]
  await raise(condition('level_warning:killed'))
  const killed = notifier(routes)
  await killed.look()
  now += 15_000
  await killed.look()
  const inHand = await registry.notifications.claim(now, now + 60_000)
  const next = notifier(routes)
  await next.send()
  expect(posts).toHaveLength(0)
  now += 60_000
  await next.look()
  await Promise.all([next.send(), notifier(routes).send()])
  expect(posts.map((p) => p.headers['sluice-message'])).toEqual([inHand?.id])
})

test('a lost broker is one message; who does not acknowledge it in time is passed over, and an acknowledgement ends it', async () => {
  const routes = [
    {
      name: 'all',
      to: ['gateway'],
      escalate: [
        { after_min: 10, to: ['office'] },
        { after_min: 20, to: ['gateway'] },
      ],
    },
  ]
  await raise(
    condition('broker_lost:center', { kind: 'broker_lost', area: null, gate: null, priority: 'critical', value: null, limit: null }),
    ...Array.from({ length: 50 }, (_, i) => condition(`stale:lost-${i}`, { kind: 'stale', suppressed: true })),
  )
  const one = notifier(routes)
  await round(one)
  expect(posts.map((p) => JSON.parse(p.body).subject)).toEqual(['[Critical] center Broker lost'])
  now += 600_000
  await round(one)
  expect(mails).toHaveLength(1)
  expect((await list())[0]).toMatchObject({ receiver: 'office', body: { step: 1, subject: '【无人确认】[紧急] 中心 消息服务中断' } })
  await registry.alarms.act(['broker_lost:center'], { do: 'acknowledge' }, { who: 'wang', at: now })
  now += 1_200_000
  await round(one)
  expect(posts).toHaveLength(1)
})

test('a redirect is not followed, a message too old is given up, and no key or password is logged or shown', async () => {
  answer = 302
  await raise(condition('level_warning:given-up'))
  const one = notifier([{ name: 'all', to: ['gateway', 'office'] }], { smtp: { password: `${SECRET}, mistyped` } })
  await round(one)
  expect(posts.map((p) => p.headers.host)).toHaveLength(1)
  now += 13 * 3_600_000
  await one.send()
  const last = (await list()).slice(0, 2)
  expect(last.map((m) => m.state)).toEqual(['failed', 'failed'])
  expect(last.map((m) => m.error).sort()).toEqual([expect.stringContaining('***'), 'the webhook answered 302'])
  expect(logged).toContain('given up')
  for (const text of [logged, JSON.stringify(await list())]) {
    expect(text).not.toContain(SECRET)
    expect(text).not.toContain(KEY)
  }
})

test('settings that could not work are refused before anything is sent, and name no secret', () => {
  const routes = [{ name: 'all', to: ['gateway'] }]
  const cases: [() => unknown, string][] = [
    [() => notifier([{ name: 'all', to: ['somebody'] }]), 'names the receiver somebody'],
    [() => notifier(routes, { env: { HOOK_SECRET: '' } }), 'needs HOOK_SECRET'],
    [() => notifier(routes, { env: { HOOK_SECRET: 'short' } }), 'shorter than 16'],
    [() => notifier(routes, { env: { HOOK_URL: 'http://gateway.example/x?key=1' } }), 'is not encrypted'],
    [() => notifier(routes, { env: { HOOK_URL: 'file:///etc/passwd' } }), 'is no URL'],
    [() => notifier(routes, { smtp: { host: 'mail.example.org', security: 'none' } }), 'not encrypted'],
  ]
  for (const [open, message] of cases) expect(open).toThrow(message)
})
