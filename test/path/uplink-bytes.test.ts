/** What the link carries to and from a real Mosquitto: topics as numbers, and a TLS session that is taken up again. */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { startProgram } from '../support/program.ts'
import { freePort, startMosquitto, tempFolder, until } from '../support/servers.ts'

const folder = tempFolder('uplink-bytes')
const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
afterAll(async () => {
  for (const close of closers.toReversed()) await close()
})

/** A TCP proxy that keeps what passes, a connection at a time. */
async function openTap(target: number) {
  const seen: { up: Buffer[]; down: Buffer[]; cut: () => void }[] = []
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    const cut = (): void => {
      near.destroy()
      far.destroy()
    }
    const kept = { up: [] as Buffer[], down: [] as Buffer[], cut }
    seen.push(kept)
    near.on('data', (b) => kept.up.push(b)).pipe(far)
    far.on('data', (b) => kept.down.push(b)).pipe(near)
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', cut).once('close', cut)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  closers.push(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { port: address.port, seen }
}

async function startAgent(name: string, url: string, env: Record<string, string> = {}) {
  const file = join(folder, `${name}.yaml`)
  writeFileSync(
    file,
    stringify({
      site: 'yc-s012',
      area: 'yichang',
      broker: { url },
      outbox: { path: join(folder, name) },
      poll: { interval_ms: 200, fast_interval_ms: 200 },
      report: { silence_ms: 0 },
      uplink: { receipts: 'none', latency_ms: 0 },
      buses: [
        { name: 'b', host: '127.0.0.1', port: 9, timeout_ms: 100, devices: [{ structure: 'yc-zh-03', unit: 1, profile: 'ulm-53l' }] },
      ],
    }),
  )
  const agent = await startProgram(name, ['edge', 'run', '--config', file], { ready: 'edge agent runs', env })
  closers.push(() => agent.kill())
  return agent
}
const count = (whole: string, part: string): number => whole.split(part).length - 1

test('a topic goes out once in a connection, and then as a number', async () => {
  const mosquitto = await startMosquitto()
  closers.push(() => mosquitto.stop())
  const tap = await openTap(mosquitto.port)
  const agent = await startAgent('alias', `mqtt://127.0.0.1:${tap.port}`)
  const up = (): string => Buffer.concat(tap.seen.at(-1)?.up ?? []).toString('latin1')
  // Each message of data has its reason in it, since there is no sensor.
  await until(async () => expect(count(up(), 'not_connected')).toBeGreaterThan(10), 30_000)
  expect(count(up(), 'DDATA/yc-s012/yc-zh-03')).toBe(1)
  await agent.kill()
})

test('a connection that is made anew takes up its TLS session: no certificate goes over the link again', async () => {
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=test', '-keyout', 'ca.key', '-out', 'ca.pem')
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-keyout', 'b.key', '-out', 'b.csr')
  writeFileSync(join(folder, 'ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  openssl(...'x509 -req -in b.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out b.pem'.split(' '))
  const port = await freePort()
  const tls = `listener ${port} 127.0.0.1\ncertfile ${join(folder, 'b.pem')}\nkeyfile ${join(folder, 'b.key')}`
  const mosquitto = await startMosquitto({ extra: tls })
  closers.push(() => mosquitto.stop())
  const tap = await openTap(port)
  await startAgent('tls', `mqtts://localhost:${tap.port}`, { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') })
  const bytes = (connection: number, way: 'up' | 'down'): number => tap.seen[connection]?.[way].reduce((n, b) => n + b.length, 0) ?? 0
  // Data flow: the handshake and what MQTT says first are through.
  const flows = (connection: number): Promise<void> => until(async () => expect(bytes(connection, 'up')).toBeGreaterThan(3000), 30_000)
  await flows(0)
  const full = bytes(0, 'down')
  tap.seen[0]?.cut()
  await flows(1)
  const resumed = bytes(1, 'down')
  process.stdout.write(`from the broker until data flow: ${full} bytes with the certificate, ${resumed} resumed\n`)
  // The certificate and its proof are 1 kB and more; what is left are the tickets for the next time.
  expect(resumed).toBeLessThan(full - 800)
})
