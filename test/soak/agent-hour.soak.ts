/** One agent with 16 devices and about 200 metrics, polled each second for an hour: is it small, and does it stay so? */
import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { District, Structure } from '#contract/district.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { SmallHost } from '#edge-agent/uplink/small-host.ts'
import { edgeConfigOf } from '#simulators/edge-config.ts'
import { openSimulators } from '#simulators/main.ts'
import { cpuSeconds, residentMb, root, startProgram } from '../support/program.ts'
import { freePort, startMosquitto, tempFolder } from '../support/servers.ts'

const MINUTES = Number(process.env['SLUICE_SOAK_MINUTES'] ?? 60)
const DEVICES = 16
const SITE = { id: 'soak-s001', area: 'yichang' }
const PROFILE = 'sluice-gate-rtu'

async function siteOfSixteen(): Promise<District> {
  const hetao = await loadDistrict(join(root, 'districts/hetao'))
  const [canal] = hetao.canals.filter((c) => c.area === SITE.area)
  const [like] = hetao.structures
  if (!canal || !like) throw new Error('the Hetao district is empty')
  const structures = Array.from(
    { length: DEVICES },
    (_, i): Structure => ({ ...like, id: `soak-${i}`, site: SITE.id, area: SITE.area, canal: canal.id, leaves: 3 }),
  )
  return {
    ...hetao,
    canals: [{ ...canal, parent: null }],
    sites: [{ ...SITE, name: like.name, station: '', report_interval_ms: 60_000 }],
    structures,
  }
}

/** @returns the program of the archive, as a gatehouse has it. */
function unpackedProgram(folder: string): string {
  execFileSync(process.execPath, [join(root, 'bin/build-edge.mjs'), '--arch', process.arch, '--out', folder])
  const archive = readdirSync(folder).find((f) => f.endsWith('.tar.gz')) ?? ''
  execFileSync('tar', ['-xzf', join(folder, archive), '-C', folder])
  return join(folder, archive.replace('.tar.gz', ''), 'bin', 'sluice')
}

test('an agent of 16 devices and 200 metrics at 1 s is small and stays so', async () => {
  const folder = tempFolder('agent-hour')
  const mosquitto = await startMosquitto()
  const profiles = await loadProfiles(join(root, 'edge-agent/profiles'))
  const profile = profiles.get(PROFILE)
  if (!profile) throw new Error(`no profile ${PROFILE}`)
  const options = { district: await siteOfSixteen(), profile, host: '127.0.0.1', basePort: await freePort(), seed: 1 }
  const simulators = await openSimulators(options, { now: Date.now, logger: pino({ level: 'warn' }) })
  const host = await SmallHost.open(mosquitto.url, { node: { group: SITE.area, node: SITE.id }, receipts: true })
  const [site] = simulators.sites
  if (!site) throw new Error('no site')
  const choices = { brokerUrl: mosquitto.url, outboxPath: join(folder, 'outbox'), pollIntervalMs: 1000, profile: PROFILE }
  writeFileSync(join(folder, 'site.yaml'), stringify(edgeConfigOf(site, choices)))
  const agent = await startProgram('agent', ['edge', 'run', '--config', join(folder, 'site.yaml')], {
    ready: 'edge agent runs',
    program: unpackedProgram(folder),
  })
  try {
    const rows: { minute: number; mb: number; cpu: number }[] = []
    const started = Date.now()
    let before = cpuSeconds(agent.pid())
    for (let minute = 1; minute <= MINUTES; minute++) {
      await sleep(started + minute * 60_000 - Date.now())
      // What it has heard is of no use here.
      host.heard.splice(0)
      const cpu = cpuSeconds(agent.pid())
      rows.push({ minute, mb: await residentMb(agent.pid()), cpu: (cpu - before) / 60 })
      before = cpu
      if (minute % 5 === 0)
        process.stdout.write(
          `minute ${minute}: ${rows.at(-1)?.mb.toFixed(1)} MB, ${((rows.at(-1)?.cpu ?? 0) * 100).toFixed(1)} % of one core\n`,
        )
    }
    const mean = (of: (r: (typeof rows)[number]) => number, part: typeof rows): number => part.reduce((n, r) => n + of(r), 0) / part.length
    // Its first minutes are warming up.
    const quarter = Math.max(1, Math.floor(rows.length / 4))
    const [early, late] = [rows.slice(Math.min(quarter, rows.length - 1), 2 * quarter || 1), rows.slice(-quarter)]
    const missed = (agent.log().match(/a poll cycle was missed/g) ?? []).length
    process.stdout.write(`Agent of ${DEVICES} devices, ${site.devices.length * 12} metrics, 1 s, ${MINUTES} min
  RSS mean ${mean((r) => r.mb, rows).toFixed(1)} MB, most ${Math.max(...rows.map((r) => r.mb)).toFixed(1)} MB; second quarter ${mean((r) => r.mb, early).toFixed(1)} MB, last ${mean((r) => r.mb, late).toFixed(1)} MB
  CPU mean ${(mean((r) => r.cpu, rows) * 100).toFixed(1)} % of one core
  polls missed, in the newest 200 kB of its log: ${missed}
`)
    expect(mean((r) => r.mb, late)).toBeLessThan(mean((r) => r.mb, early) * 1.15 + 3)
  } finally {
    await agent.stop()
    await host.close()
    await simulators.close()
    await mosquitto.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
