// Debian packages that the tests talk to: the real servers, the real Modbus master, the real browser.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

const NEEDED = [
  { package: 'mosquitto', there: () => existsSync('/usr/sbin/mosquitto') },
  { package: 'mosquitto-clients', there: () => existsSync('/usr/bin/mosquitto_sub') },
  { package: 'influxdb', there: () => existsSync('/usr/bin/influxd') },
  { package: 'postgresql', there: () => existsSync('/usr/lib/postgresql') && readdirSync('/usr/lib/postgresql').length > 0 },
  { package: 'chromium', there: () => existsSync('/usr/bin/chromium') },
  { package: 'fonts-noto-cjk', there: () => existsSync('/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc') },
  { package: 'poppler-utils', there: () => existsSync('/usr/bin/pdftotext') },
  { package: 'mbpoll', there: () => existsSync('/usr/bin/mbpoll') },
  { package: 'socat', there: () => existsSync('/usr/bin/socat') },
  // pymodbus imports it and does not depend on it.
  { package: 'python3-serial-asyncio', there: () => existsSync('/usr/lib/python3/dist-packages/serial_asyncio') },
  { package: 'python3-pymodbus', there: () => existsSync('/usr/lib/python3/dist-packages/pymodbus') },
  { package: 'iproute2', there: () => existsSync('/usr/sbin/ip') || existsSync('/usr/bin/ip') },
  { package: 'strace', there: () => existsSync('/usr/bin/strace') },
]

/** Installs what is missing through apt-get where this user may; otherwise ends with the command to give. */
export function installPackages() {
  const missing = NEEDED.filter((n) => !n.there()).map((n) => n.package)
  if (missing.length === 0) return
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`
  const aptGet = existsSync('/usr/bin/apt-get')
  if (!aptGet || process.getuid?.() !== 0) {
    process.stderr.write(
      `npm test needs ${missing.join(', ')}. Install them and try again:\n\n  sudo apt-get update && sudo ${command}\n\n`,
    )
    process.exit(1)
  }
  process.stderr.write(`installing ${missing.join(', ')} …\n`)
  // Debian starts a server when it installs one; the tests start their own, on free ports.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  for (const line of ['apt-get update', command]) {
    const [program, ...args] = line.split(' ')
    const result = spawnSync(program, ['-qq', ...args], { env, encoding: 'utf8' })
    if (result.status !== 0) {
      process.stderr.write(`${result.stdout}${result.stderr}\n${line} ended with ${result.status}: see above\n`)
      process.exit(1)
    }
  }
}
