import { spawn, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { tempFolder, until } from '#test/support/servers.ts'
import { openSystemd } from './systemd.ts'

const log = pino({ level: 'silent' })
const isHere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined && process.platform === 'linux'

// systemd-notify waits until the receiver has taken its message whole, descriptor and all: socat never does.
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True: print(s.recv(4096).decode(), flush=True)
`

test.runIf(isHere('systemd-notify') && isHere('python3'))(
  'systemd is told that the agent is ready, that it lives as long as it does, and that it stops',
  async () => {
    const folder = tempFolder('notify')
    const socket = join(folder, 'notify')
    const heard: Buffer[] = []
    const systemd = spawn('python3', ['-c', RECEIVER, socket])
    const ended = new Promise((resolve) => systemd.once('close', resolve))
    systemd.stdout.on('data', (b: Buffer) => heard.push(b))
    const said = (): string => Buffer.concat(heard).toString()
    const before = process.env['NOTIFY_SOCKET']
    process.env['NOTIFY_SOCKET'] = socket
    try {
      await until(async () => expect(spawnSync('test', ['-S', socket]).status).toBe(0))
      let alive = true
      const told = openSystemd({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000' }, () => alive, log)
      told.ready()
      await until(async () => expect(said()).toMatch(/READY=1[\s\S]*WATCHDOG=1/))
      alive = false
      await told.close()
      await until(async () => expect(said()).toContain('STOPPING=1'))
    } finally {
      if (before === undefined) delete process.env['NOTIFY_SOCKET']
      else process.env['NOTIFY_SOCKET'] = before
      systemd.kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

test('without systemd nothing is told and nothing waits', async () => {
  const systemd = openSystemd({}, () => true, log)
  systemd.ready()
  await systemd.close()
})
