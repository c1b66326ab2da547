/** The files that an administrator copies, started as they are but for ports and folders. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { root } from './support/program.ts'
import { freePort, tempFolder, until } from './support/servers.ts'

const folder = tempFolder('deploy')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const deployed = (path: string): string => readFileSync(join(root, 'deploy', path), 'utf8')

async function whileRunning(command: string, args: string[], check: () => Promise<void>): Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    await until(check)
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

test('Mosquitto takes deploy/mosquitto/sluice.conf', async () => {
  const port = await freePort()
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(file, `${deployed('mosquitto/sluice.conf').replace('listener 1883', `listener ${port}`)}\nuser root\n`)
  await whileRunning('/usr/sbin/mosquitto', ['-c', file], async () => {
    const { status } = spawnSync('mosquitto_pub', ['-p', String(port), '-t', 'a', '-m', 'b', '-q', '1'])
    expect(status).toBe(0)
  })
})

test('InfluxDB takes deploy/influxdb/influxdb.conf, with its WAL synced at each write', async () => {
  const [http, rpc] = [await freePort(), await freePort()]
  const file = join(folder, 'influxdb.conf')
  const text = deployed('influxdb/influxdb.conf')
  expect(text).toContain('wal-fsync-delay = "0s"')
  writeFileSync(file, text.replaceAll('/var/lib/influxdb', folder).replace(':8086', `:${http}`).replace(':8088', `:${rpc}`))
  await whileRunning('/usr/bin/influxd', ['run', '-config', file], async () => {
    expect((await fetch(`http://127.0.0.1:${http}/ping`)).status).toBe(204)
  })
})

test('what runs before InfluxDB is a command that sluice has, for the folder that its configuration names', () => {
  const command = /^ExecStartPre=-\/usr\/bin\/node \/opt\/sluice\/bin\/sluice\.mjs (\S+) (\S+)$/m.exec(
    deployed('systemd/influxdb.service.d/mend-wal.conf'),
  )
  expect(deployed('influxdb/influxdb.conf')).toContain(`wal-dir = "${command?.[2]}"`)
  const wal = join(folder, 'wal', 'sluice', 'autogen', '1')
  mkdirSync(wal, { recursive: true })
  const entry = Buffer.from([1, 0, 0, 0, 2, 7, 7])
  writeFileSync(join(wal, '_00001.wal'), Buffer.concat([entry, Buffer.alloc(3), entry, entry.subarray(0, 6)]))
  const ran = spawnSync(process.execPath, [join(root, 'dist/sluice.js'), command?.[1] ?? '', join(folder, 'wal')], { encoding: 'utf8' })
  expect(ran.stdout).toContain('_00001.wal: half an entry of 6 bytes and holes of 3 bytes taken out')
  expect(readFileSync(join(wal, '_00001.wal'))).toEqual(Buffer.concat([entry, entry]))
  const none = spawnSync(process.execPath, [join(root, 'dist/sluice.js'), command?.[1] ?? '', join(folder, 'no')], { encoding: 'utf8' })
  expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('wal-dir of influxdb.conf')])
})

test('each systemd unit starts a command that sluice has, and restarts it', () => {
  const help = spawnSync(process.execPath, [join(root, 'dist/sluice.js'), '--help'], { encoding: 'utf8' }).stdout
  const units = readdirSync(join(root, 'deploy/systemd')).filter((f) => f.endsWith('.service'))
  expect(units).toHaveLength(3)
  for (const unit of units) {
    const text = deployed(`systemd/${unit}`)
    const command = /ExecStart=(?:\/usr\/bin\/node bin\/sluice\.mjs|\/opt\/sluice\/current\/bin\/sluice) (\w+) /.exec(text)?.[1]
    expect(help, unit).toContain(`  ${command} `)
    expect(text, unit).toContain('Restart=always')
  }
})
