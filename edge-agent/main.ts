import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Fault } from '#contract/fault.ts'
import type { SiteHealth } from '#contract/health.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import type { Reading } from '#contract/reading.ts'
import { NAMES } from '#contract/topics.ts'
import type { UnixMs } from '#contract/units.ts'
import { VERSION } from '#contract/version.ts'
import { Clock, type ClockSources, machineClock } from './clock.ts'
import { CONTROL_METRICS, openControl } from './command/controlled.ts'
import { Figures } from './commission/figures.ts'
import { Records } from './commission/records.ts'
import type { AgentStatus } from './commission/status.ts'
import type { CenterLink } from './from-center/center-link.ts'
import { gatherHealth } from './health/gather.ts'
import { HealthReporter } from './health/reporter.ts'
import { type Journal, NO_JOURNAL, openJournal } from './journal.ts'
import { Keeper } from './keep.ts'
import { Bus } from './modbus/bus.ts'
import { BusReader } from './modbus/bus-reader.ts'
import { type Device, readDevice, toDevice } from './modbus/device.ts'
import { DtuListeners } from './modbus/line/dtu-listener.ts'
import { Newest } from './newest.ts'
import { Outbox, type OutboxStats } from './outbox/outbox.ts'
import { type Pace, poll } from './poll.ts'
import { Exceptions } from './report/exception.ts'
import { Haste } from './report/haste.ts'
import { longestSilence, rulesOf } from './report/rule.ts'
import { type BusSettings, checkEdgeSettings, type EdgeSettings } from './settings.ts'
import { Stamper } from './stamp.ts'
import { Meter } from './uplink/meter.ts'
import { deviceBirth } from './uplink/payloads.ts'
import { Sender } from './uplink/send.ts'
import { Session } from './uplink/session.ts'

export type EdgeDeps = {
  readonly log: Logger
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  /** The machine's clocks, where they are not to be its own. */
  readonly clock?: ClockSources
  /** Whoever takes configurations from the center; without one none is taken. */
  readonly center?: CenterLink | undefined
}

export type EdgeStats = {
  readonly connected: boolean
  readonly connections: number
  readonly outbox: OutboxStats
  /** Batches that were sent and have no receipt. */
  readonly in_flight: number
  readonly last_receipt_t: UnixMs | null
  /** Since the start: times of the poll grid at which a bus was not read. */
  readonly missed_cycles: number
  /** Since the start: times at which a device's readings were kept. */
  readonly kept: number
  /** Since the start: readings that the disk did not take. */
  readonly not_kept: number
}

export type Edge = {
  /** The last ones, once it is closed. */
  stats(): EdgeStats
  /** What the center is told of the agent, as it is now. */
  health(): SiteHealth
  /** What a person at the site is told of it, as it is now. */
  status(): AgentStatus
  /** Its buses while it runs: whoever reads over one waits in the same queue as the agent. */
  readonly buses: readonly OpenBus[]
  /** What engineers have signed at the site. */
  readonly records: Records
  /** Whether a leaf is on its way, or may be. */
  isMoving(): boolean
  /** Says farewell to the broker; what has no receipt stays in the outbox. */
  close(): Promise<void>
}

/**
 * Opens an agent: it polls, keeps and sends until it is closed. Devices and broker may be away, now or at any time.
 * @throws Fault CONFIG_INVALID, PROFILE_INVALID, DATA_IN_USE, DISK_FULL, PORT_TAKEN, ADDRESS_REFUSED
 */
export async function openEdge(settings: EdgeSettings, deps: EdgeDeps): Promise<Edge> {
  checkEdgeSettings(settings)
  const { log } = deps
  const clock = new Clock(deps.clock ?? machineClock(Date.now), log)
  const now = (): UnixMs => clock.now()
  const elapsed = (): number => performance.now()
  const plan = settings.buses.map((bus) => ({ settings: bus, devices: devicesOf(bus, deps.profiles) }))
  const devices = plan.flatMap((p) => p.devices)
  checkMetrics(devices)

  const outbox = await Outbox.open({
    ...settings.outbox,
    max_age_ms: settings.outbox.max_age_h * HOUR_MS,
    clockIsSure: () => clock.isSure,
    elapsed,
    log,
  })
  const journal = await prepare(outbox, settings, { devices, log })
  const buses = await openBuses(plan, log).catch(async (error: unknown) => {
    await outbox.close()
    journal.close()
    throw error
  })
  const newest = new Newest()
  const figures = new Figures(plan.flatMap((p) => p.devices.map((d) => ({ ...d, bus: p.settings.name }))))
  const lastRead = new Newest()
  const haste = new Haste(settings.report.limits, elapsed)
  const { uplink } = settings
  const meter = new Meter({
    now,
    elapsed,
    recall: () => outbox.recall('usage'),
    remember: (usage) => outbox.remember('usage', usage),
    planMb: uplink.plan_mb,
  })
  const exceptions = new Exceptions(rulesOf(settings.report, () => meter.slowDown))
  const keep = async (read: { device: Device; readings: ReadonlyMap<string, Reading>; name: string; gridTime: UnixMs }): Promise<void> => {
    const { structure } = read.device
    const readings = site?.withMode(structure, read.readings) ?? read.readings
    const kept = keeper.keep({ structure, t: now(), readings, bus: read.name, gridTime: read.gridTime })
    // A leaf on its way is judged by what was read, however long the disk takes.
    site?.tick(structure)
    await kept
  }
  /** Readings of a moving leaf that the disk has not taken yet: nothing waits for them but the end. */
  const between = new Set<Promise<void>>()
  const site = await openControl(settings, {
    buses,
    profiles: deps.profiles,
    readNow: async ({ device, bus, name }) => {
      const readings = await readDevice(device, (request) => bus.read(request))
      const kept = keep({ device, readings, name, gridTime: now() }).finally(() => between.delete(kept))
      between.add(kept)
    },
    newest: lastRead,
    aliasesOf: (structure) => outbox.aliases.of(structure),
    link: {
      get online() {
        return session.online
      },
      publish: (device, metrics) => session.publish(device, metrics),
      publishNode: (metrics) => session.publishNode(metrics),
    },
    now,
    elapsed,
    log,
  }).catch(async (error: unknown) => {
    for (const { bus } of buses) bus.close()
    await outbox.close()
    journal.close()
    throw error
  })
  const receipts = settings.uplink.receipts === 'required'
  const started = elapsed()
  const health = (): SiteHealth =>
    gatherHealth({
      outbox: outbox.stats(),
      keeper,
      sender,
      session,
      meter,
      clock,
      silenceMs: longestSilence(settings.report, meter.slowDown),
      config: deps.center?.running,
      now: now(),
      uptimeMs: elapsed() - started,
    })
  const session = Session.open({
    broker: settings.broker,
    address: { group: settings.area, node: settings.site },
    devices: [...new Set(devices.map((d) => d.structure))],
    receipts,
    nextBdSeq: () => outbox.nextBdSeq(),
    birthOf: (device, at) => [
      ...deviceBirth({ aliases: outbox.aliases.of(device), newest: newest.of(device) }, at, { receipts }),
      ...(site?.birthMetrics(device, at) ?? []),
    ],
    healthNow: () => reporter.forBirth(),
    onOnline: () => {
      sender.online()
      site?.online()
      void records.tell()
      deps.center?.online((metrics) => session.publishNode(metrics))
    },
    deflate: uplink.deflate,
    onBytes: (bytes) => meter.add(bytes),
    onHostTime: (t) => clock.hear(t),
    onReceipt: (ids) => {
      deps.center?.contact()
      void sender.receive(ids)
    },
    control: site ?? undefined,
    center: deps.center,
    records: { received: (id) => records.received(id) },
    now,
    log,
  })
  const latencyMs = (): number => Math.max(uplink.latency_ms, meter.slowDown.latency_ms)
  const sender = new Sender({ outbox, link: session, newest, settings: uplink, latencyMs, now, elapsed, log })
  const reporter = HealthReporter.start({ healthNow: health, link: session, now, elapsed, everyMs: uplink.health_interval_ms })
  const records = Records.open({ folder: join(settings.outbox.path, 'commissioning'), link: session, now, log })
  const stamper: Stamper = new Stamper({
    outbox,
    clock,
    onStamped: (structure, kept, readings) => keeper.tell(structure, { ...kept, readings }, { urgent: false }),
    log,
  })
  const metering = setInterval(() => void meter.look(), METER_EVERY_MS)
  const keeper: Keeper = new Keeper({ stamper, journal, lastRead, newest, exceptions, haste, sender, log })

  const ending = new AbortController()
  // Each bus listens to it: more than ten are no leak.
  setMaxListeners(0, ending.signal)
  let cycling = 0
  const polling = buses.map(({ bus, settings: { name, timeout_ms }, devices }) => {
    const reader = new BusReader({ bus, timeout_ms, elapsed })
    const pace = (): Pace => paceOf(settings.poll, haste.isOn(name))
    const cycle = async (gridTime: UnixMs): Promise<void> => {
      cycling += 1
      const keeping: Promise<void>[] = []
      const began = elapsed()
      for (const device of reader.inOrder(devices)) {
        if (ending.signal.aborted) break
        const asked = elapsed()
        const readings = await reader.read(device)
        figures.read(device, { t: now(), took_ms: elapsed() - asked, readings })
        keeping.push(keep({ device, readings, name, gridTime }))
      }
      figures.cycle(name, elapsed() - began)
      await Promise.all(keeping)
      cycling -= 1
      if (cycling === 0 && latencyMs() < pace().everyMs) sender.complete()
    }
    return poll({ cycle, missed: (gridTime) => keeper.missed(name, gridTime), now, elapsed }, pace, ending.signal)
  })
  const stats = (): EdgeStats => ({
    connected: session.online,
    connections: session.connections,
    outbox: outbox.stats(),
    in_flight: sender.inFlight,
    last_receipt_t: sender.lastReceiptT,
    ...keeper.counts,
  })
  const status = (): AgentStatus => ({
    site: settings.site,
    area: settings.area,
    pid: process.pid,
    version: VERSION,
    t: now(),
    interval_ms: settings.poll.interval_ms,
    stats: stats(),
    health: health(),
    buses: buses.map(({ bus, settings: { name } }) => figures.bus(name, bus.stats)),
    devices: figures.devices(),
  })
  let atEnd: { stats: EdgeStats; health: SiteHealth; status: AgentStatus } | undefined
  return {
    stats: () => atEnd?.stats ?? stats(),
    health: () => atEnd?.health ?? health(),
    status: () => atEnd?.status ?? status(),
    buses,
    records,
    isMoving: () => site?.isMoving ?? false,
    close: async () => {
      ending.abort()
      reporter.close()
      clearInterval(metering)
      records.close()
      await Promise.all(polling)
      await stamper.close()
      await site?.close()
      await Promise.all(between)
      for (const { bus } of buses) bus.close()
      await Promise.all([sender.close(), session.close()])
      atEnd = { stats: stats(), health: health(), status: status() }
      await meter.save()
      await outbox.close()
      journal.close()
    },
  }
}

/** @throws Fault CONFIG_INVALID for a metric that two devices of a structure would give. */
function checkMetrics(devices: readonly Device[]): void {
  const given = devices.flatMap((d) => d.metrics.map((metric) => `${d.structure}: ${metric}`))
  const twice = given.filter((name, i) => given.indexOf(name) !== i)
  if (twice.length === 0) return
  throw new Fault(
    'CONFIG_INVALID',
    `two devices give the same: ${twice.join(', ')}`,
    'rename one of them by points: { METRIC: { as: OTHER } }, or omit it',
  )
}
const HOUR_MS = 3_600_000
const METER_EVERY_MS = 10_000

const paceOf = ({ interval_ms, fast_interval_ms }: EdgeSettings['poll'], hasty: boolean): Pace =>
  hasty && fast_interval_ms < interval_ms ? { everyMs: fast_interval_ms, isFast: true } : { everyMs: interval_ms, isFast: false }

type Planned = { readonly settings: BusSettings; readonly devices: readonly Device[] }
export type OpenBus = Planned & { readonly bus: Bus }

/** @throws Fault PORT_TAKEN, ADDRESS_REFUSED where a DTU is to dial in. */
async function openBuses(plan: readonly Planned[], log: Logger): Promise<OpenBus[]> {
  const listeners = new DtuListeners(log)
  const buses = plan.map((p) => ({ ...p, bus: Bus.open(p.settings, log, listeners) }))
  try {
    await listeners.listening()
    return buses
  } catch (error) {
    for (const { bus } of buses) bus.close()
    throw error
  }
}

/** What must be ready before the first reading. Closes the outbox when it can't be. */
async function prepare(
  outbox: Outbox,
  settings: EdgeSettings,
  { devices, log }: { devices: readonly Device[]; log: Logger },
): Promise<Journal> {
  try {
    for (const { structure, metrics } of devices)
      await outbox.aliases.claim(structure, [NAMES.batch, ...metrics, ...(settings.control ? CONTROL_METRICS : [])])
    return settings.journal === undefined ? NO_JOURNAL : openJournal(settings.journal, log)
  } catch (error) {
    await outbox.close()
    throw error
  }
}

function devicesOf(bus: BusSettings, profiles: ReadonlyMap<string, DeviceProfile>): Device[] {
  return bus.devices.map((device) => {
    const profile = profiles.get(device.profile)
    if (profile) return toDevice(device, profile)
    const known = [...profiles.keys()].join(', ') || 'none'
    throw new Fault('CONFIG_INVALID', `structure ${device.structure}: there is no profile ${device.profile}`, `use one of: ${known}`)
  })
}
