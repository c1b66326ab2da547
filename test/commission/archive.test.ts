import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, linkSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '#test/support/program.ts'
import { tempFolder, until } from '#test/support/servers.ts'

const SITE = `site: yc-s012
area: yichang
broker: { url: 'mqtt://127.0.0.1:9' }
outbox: { path: /tmp/outbox }
poll: { interval_ms: 200 }
buses:
  - name: gatehouse
    host: 127.0.0.1
    port: 9
    devices:
      - { structure: yc-zh-03, unit: 1, profile: sluice-gate-rtu }
`
/** A gatehouse's machine: the archive, Node and the libraries that it needs, and nothing else. */
let machine = ''
let archive = ''
beforeAll(() => {
  machine = tempFolder('gatehouse')
  const built = tempFolder('archive')
  execFileSync(process.execPath, [join(root, 'bin', 'build-edge.mjs'), '--arch', process.arch, '--out', built])
  const [name = ''] = readdirSync(built).filter((f) => f.endsWith('.tar.gz'))
  execFileSync('tar', ['-xzf', join(built, name), '-C', machine])
  rmSync(built, { recursive: true })
  archive = name.replace('.tar.gz', '')
  mkdirSync(join(machine, 'tmp'))
  writeFileSync(join(machine, 'site.yaml'), SITE)
})
afterAll(() => rmSync(machine, { recursive: true, force: true }))

const withoutNpm = { PATH: dirname(process.execPath), HOME: '/nonexistent' }

test('the archive unpacked is under 40 MB, and holds no tree of packages', () => {
  const bytes = Number(execFileSync('du', ['-sb', join(machine, archive)], { encoding: 'utf8' }).split('\t')[0])
  process.stdout.write(`archive unpacked: ${(bytes / 1e6).toFixed(1)} MB\n`)
  expect(bytes).toBeLessThan(40e6)
  expect(readdirSync(join(machine, archive), { recursive: true, encoding: 'utf8' }).filter((f) => f.includes('node_modules'))).toEqual([])
})

test('its check says of a site file what the checkout’s says, anywhere', () => {
  const check = (file: string) =>
    spawnSync('/bin/sh', [join(machine, archive, 'bin', 'sluice'), 'edge', 'check', '-c', file], {
      cwd: '/',
      env: { ...withoutNpm, PATH: `${withoutNpm.PATH}:/usr/bin:/bin` },
      encoding: 'utf8',
    })
  expect(check(join(machine, 'site.yaml'))).toMatchObject({ status: 0, stdout: expect.stringContaining('ok yc-s012: 1 bus, 1 device') })
  writeFileSync(join(machine, 'wrong.yaml'), SITE.replace('unit: 1', 'unit: one'))
  expect(check(join(machine, 'wrong.yaml'))).toMatchObject({ status: 1, stdout: expect.stringMatching(/wrong\.yaml:\d+:\d+:/) })
})

test.runIf(process.getuid?.() === 0 && process.platform === 'linux')(
  'in an empty root with Node and its libraries alone the agent runs, keeps readings and exports them, and each native part loads',
  async () => {
    const node = join(machine, 'node')
    bringIn(process.execPath, node)
    const natives = readdirSync(join(machine, archive, 'native')).map((f) => join(machine, archive, 'native', f))
    for (const library of [process.execPath, ...natives].flatMap(librariesOf)) bringIn(library, join(machine, library))
    const program = [machine, '/node', `/${archive}/dist/sluice-edge.mjs`, 'edge']
    const run = (...args: string[]) => spawnSync('/usr/sbin/chroot', [...program, ...args], { env: {}, encoding: 'utf8' })
    expect(run('check', '-c', '/site.yaml')).toMatchObject({ status: 0 })
    const { stderr } = run('scan', '-b', 'serial:///dev/ttyNONE', '-u', '1')
    // Said by the native binding itself.
    expect(stderr).toContain('No such file or directory, cannot open /dev/ttyNONE')
    expect(stderr).toContain('the bus can not be reached')
    expect(JSON.parse(run('ports', '--json').stdout)).toEqual([])
    const hashed = spawnSync('/usr/sbin/chroot', [...program, 'password'], { env: {}, input: 'gatehouse by the canal\n', encoding: 'utf8' })
    expect(hashed).toMatchObject({ status: 0, stdout: expect.stringContaining("password_hash: '$argon2id$") })
    const agent = spawn('/usr/sbin/chroot', [...program, 'run', '-c', '/site.yaml'], { env: {}, stdio: ['ignore', 'ignore', 'pipe'] })
    const ended = new Promise((resolve) => agent.once('close', resolve))
    try {
      await until(async () => {
        expect(run('status', '-c', '/site.yaml', '--json')).toMatchObject({
          status: 0,
          stdout: expect.stringContaining('"not_connected":'),
        })
      })
    } finally {
      agent.kill('SIGTERM')
      await ended
    }
    expect(run('outbox', 'export', '-c', '/site.yaml').stdout).toMatch(/^time,.*\n.*,yc-zh-03,level_up,,bad,not_connected\n/)
  },
)

test.runIf(process.getuid?.() === 0 && process.platform === 'linux')(
  'an upgrade takes the place of the version before, one that does not start leaves it there, and going back is one line',
  () => {
    // Where Node is may be covered below.
    const node = join(machine, 'node-of-installer')
    bringIn(process.execPath, node)
    const [first, second, broken] = ['0.1.0-test', '0.2.0-test', '0.3.0-test'].map((version) => {
      const folder = join(machine, `sluice-edge-${version}`)
      cpSync(join(machine, archive), folder, { recursive: true })
      return folder
    })
    writeFileSync(join(broken ?? '', 'dist', 'sluice-edge.mjs'), 'throw new Error("cut off")')
    const script = `set -e
      mkdir -p ${machine}/etc ${machine}/etc.work
      mount -t overlay overlay -o lowerdir=/etc,upperdir=${machine}/etc,workdir=${machine}/etc.work /etc
      for folder in /opt /usr/local/bin; do mount -t tmpfs tmpfs $folder; done
      ln -s ${node} /usr/local/bin/node
      in_force() { readlink /opt/sluice/current; sluice edge --help >/dev/null && echo runs; }
      sh ${first}/install.sh; in_force
      sh ${second}/install.sh; in_force
      sh ${broken}/install.sh && echo taken || echo refused; in_force
      ln -sfn /opt/sluice/0.1.0-test /opt/sluice/current; in_force
      getent passwd sluice; stat -c '%a %G' /etc/sluice; ls /etc/systemd/system/sluice-edge@.service`
    // In a mount namespace of its own: nothing of it is left on this machine.
    const { stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script], {
      env: { PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      encoding: 'utf8',
    })
    const of = (version: string): string[] => [`/opt/sluice/${version}`, 'runs']
    const said = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('Error'))
    expect({ said, stderr }).toMatchObject({
      said: [
        ...['installed 0.1.0-test', ...of('0.1.0-test')],
        ...['installed 0.2.0-test; before: /opt/sluice/0.1.0-test', ...of('0.2.0-test')],
        ...['refused', ...of('0.2.0-test')],
        ...of('0.1.0-test'),
        expect.stringMatching(/^sluice:x:\d+:\d+::\/var\/lib\/sluice:\/usr\/sbin\/nologin$/),
        ...['750 sluice', '/etc/systemd/system/sluice-edge@.service'],
      ],
    })
    expect(stderr).toContain('cut off')
  },
)

test.runIf(process.platform === 'linux')('systemd accepts the unit', () => {
  const unit = readFileSync(join(root, 'deploy', 'systemd', 'sluice-edge@.service'), 'utf8')
  const probe = join(machine, 'sluice-edge@.service')
  writeFileSync(probe, unit.replace(/ExecStart=\S+/, 'ExecStart=/bin/true').replace(/Documentation=.*\n/, ''))
  const verified = spawnSync('systemd-analyze', ['verify', probe.replace('@.', '@yc-s012.')], { encoding: 'utf8' })
  // Where systemd is not installed there is nobody to ask.
  if (!verified.error) expect(verified.stderr).not.toMatch(/sluice-edge@.*(Unknown|Failed|error)/i)
})

function librariesOf(file: string): string[] {
  const listed = execFileSync('ldd', [file], { encoding: 'utf8' })
  return [...listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap((m) => (m[1] === undefined ? [] : [m[1]]))
}

function bringIn(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  try {
    linkSync(realpathSync(from), to)
  } catch {
    // Another disk, or there already.
    copyFileSync(from, to)
  }
}
