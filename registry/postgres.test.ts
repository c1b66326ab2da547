import { connect, createServer, type Socket } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort, type RealServer, startPostgres, until } from '#test/support/servers.ts'
import { openRegistry } from './open.ts'
import type { Registry } from './port.ts'
import { MIGRATIONS, registryContract, smallDistrict } from './registry.contract.ts'

const deps = { log: pino({ level: 'silent' }), migrationsFolder: MIGRATIONS }

describe('PostgreSQL', () => {
  let server: RealServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  registryContract('keeps the registry', async () => {
    // As when ingest and several API nodes start together on an empty database.
    const opened = await Promise.all(Array.from({ length: 4 }, () => openRegistry(server.url, deps)))
    const [registry, ...others] = opened
    await Promise.all(others.map((o) => o.close()))
    if (!registry) throw new Error('nothing was opened')
    return registry
  })

  test('while the server is away each call says so, and after its return the same registry goes on', async () => {
    const registry = await openRegistry(server.url, deps)
    await registry.district.seed(smallDistrict)
    const before = await registry.district.areas()
    await server.kill()
    const calls = [() => registry.district.areas(), () => registry.ready(), () => registry.district.seed(smallDistrict)]
    // A backend may answer once more before it sees that its postmaster is dead.
    await until(async () => await expect(registry.district.areas()).rejects.toThrow())
    for (const call of calls) await expect(call()).rejects.toMatchObject({ name: 'Fault', code: 'REGISTRY_UNREACHABLE' })
    await server.start()
    expect(await registry.district.areas()).toEqual(before)
    expect(await registry.district.seed(smallDistrict)).toBe(0)
    await registry.close()
  })

  test('a server that is restarted while calls are under way ends none of our processes', async () => {
    const registry = await openRegistry(server.url, deps)
    const busy = Promise.allSettled(Array.from({ length: 20 }, () => registry.district.seed(smallDistrict)))
    await server.kill()
    for (const result of await busy) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'REGISTRY_UNREACHABLE' })
    }
    await server.start()
    await registry.ready()
    await registry.close()
  })

  test('a server that comes up after us gets its tables then', async () => {
    await server.kill()
    let late: Registry | undefined
    try {
      late = await openRegistry(server.url, deps)
      await expect(late.district.areas()).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' })
    } finally {
      await server.start()
    }
    await late.ready()
    await late.close()
  })

  test('a server that falls silent is given up after a while, and used again when it speaks', async () => {
    const proxy = await startProxy(server.port)
    const registry = await openRegistry(`postgres://sluice@127.0.0.1:${proxy.port}/sluice`, deps)
    await registry.district.seed(smallDistrict)
    proxy.fallSilent()
    const calls = [registry.district.areas(), registry.district.seed(smallDistrict)]
    for (const result of await Promise.allSettled(calls))
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'REGISTRY_UNREACHABLE' } })
    proxy.speak()
    expect(await registry.district.seed(smallDistrict)).toBe(0)
    await registry.close()
    await proxy.stop()
  })

  test('a database that is not there is told of at once, without the password', async () => {
    const opening = openRegistry(`postgres://sluice:secret@127.0.0.1:${server.port}/nowhere`, deps)
    const fault: unknown = await opening.catch((error: unknown) => error)
    expect(fault).toMatchObject({ code: 'REGISTRY_UNREACHABLE', message: expect.stringContaining('nowhere') })
    expect(String(fault)).not.toContain('secret')
  })
})

type Proxy = { readonly port: number; fallSilent(): void; speak(): void; stop(): Promise<void> }

/** Stands between us and a server; silent, it takes bytes and passes none on, as a cut line does. */
async function startProxy(to: number): Promise<Proxy> {
  let silent = false
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => silent || into.write(bytes))
      from.on('error', () => into.destroy())
      from.on('close', () => into.destroy())
    }
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port,
    fallSilent: () => {
      silent = true
    },
    speak: () => {
      silent = false
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
