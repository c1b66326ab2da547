import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Fault } from '#contract/fault.ts'
import { metricOf } from '#contract/metrics.ts'
import { registersOf, SPACES, type Space } from '#contract/profile.ts'
import { type Candidate, candidatesOf, type Match, pointLine, rankNear } from '#edge-agent/commission/candidates.ts'
import { listPorts } from '#edge-agent/commission/ports.ts'
import { type DeviceRead, readOnce } from '#edge-agent/commission/read-once.ts'
import { parseUnits, scanBus, type UnitFound } from '#edge-agent/commission/scan.ts'
import { hexWord, shownNumber, table } from '#edge-agent/commission/table.ts'
import { toDevice } from '#edge-agent/modbus/device.ts'
import { type BusChoice, chooseBus, profilesBeside, readSite, wholeNumber } from './edge-config.ts'
import { foundWanting, type Output } from './edge-output.ts'
import { scanTimeoutMs, withBus } from './with-bus.ts'

/** `signal`: Ctrl-C. */
export type HandDeps = { readonly log: Logger; readonly signal: AbortSignal }

export async function runPorts(out: Output): Promise<void> {
  const ports = await listPorts()
  out.tell(ports)
  const columns = [{ title: 'port' }, { title: 'maker' }, { title: 'usb id' }, { title: 'name for the file' }]
  out.say(
    table(
      columns,
      ports.map((p) => [p.path, p.maker ?? '', p.usb ?? '', p.stable ?? '']),
      out.columns,
    ),
  )
  if (ports.length > 0) return
  out.say('this machine has no serial port: is the adapter plugged in?')
  foundWanting()
}

export type ScanOptions = BusChoice & { readonly units: string }

export async function runScan(options: ScanOptions, out: Output, { log, signal }: HandDeps): Promise<void> {
  const units = parseUnits(options.units)
  if (!units) throw new Fault('BAD_REQUEST', `--units is ${options.units}`, 'write them as 1-32 or 1,2,17')
  const chosen = await chooseBus(options)
  const address = options.timeoutMs === undefined ? { ...chosen, timeout_ms: scanTimeoutMs(chosen) } : chosen
  const profiles = await profilesBeside(options.config)
  const began = performance.now()
  const said = (u: UnitFound): void => {
    out.progress('')
    out.tell(u)
    out.say(`${out.good(`unit ${u.unit}`)} answers (${u.took_ms} ms)`)
    out.say(SPACES.map((space) => `  ${space.padEnd(8)} ${u.answers[space] === 'ok' ? 'yes' : u.answers[space]}`))
    if (u.fits.length > 0)
      out.say(
        `  read by profile ${u.fits
          .slice(0, 3)
          .map((f) => `${f.profile} (${f.good} of ${f.of} good)`)
          .join(', ')}`,
      )
  }
  const progress = (unit: number, done: number): void => {
    const left = ((units.length - done) * address.timeout_ms) / 1000
    out.progress(`unit ${unit}, ${done} of ${units.length} asked, at most ${Math.ceil(left)} s`)
  }
  const { found, reached } = await withBus(address, { log, signal, waiting: out.progress }, (bus) =>
    scanBus(bus, { units, profiles, signal, progress, found: said }),
  )
  out.progress('')
  if (!reached)
    throw new Fault(
      'NOT_FOUND',
      'the bus can not be reached',
      address.transport === 'dtu'
        ? 'look at the address of this machine, the port and the registration packet in the DTU, and at its SIM'
        : 'look at the address, the port and the cable; a serial port belongs to one program at a time',
    )
  out.say(`${found.length} of ${units.length} units answer, ${((performance.now() - began) / 1000).toFixed(1)} s`)
  if (found.length > 2 && found.length === units.length) out.say('every unit answers: this device most likely ignores the unit number')
  if (found.length === 0) foundWanting()
}

export type ProbeOptions = BusChoice & {
  readonly unit: string
  readonly space: string
  readonly words: string
  readonly oneBased?: boolean
  readonly near?: string
  readonly within?: string
}

export async function runProbe(written: string, options: ProbeOptions, out: Output, { log, signal }: HandDeps): Promise<void> {
  const space = SPACES.find((s) => s === options.space)
  if (!space) throw new Fault('BAD_REQUEST', `--space is ${options.space}`, `use one of ${SPACES.join(', ')}`)
  const given = wholeNumber('the address', written, [0, 65_536])
  const address = options.oneBased ? given - 1 : given
  const words = wholeNumber('--words', options.words, [1, 125])
  const unit = wholeNumber('--unit', options.unit, [0, 255])
  const near = options.near === undefined ? undefined : decimal('--near', options.near)
  const within = options.within === undefined ? Math.max(0.02, Math.abs(near ?? 0) * 0.02) : decimal('--within', options.within)
  const reply = await withBus(await chooseBus(options), { log, signal, waiting: out.progress }, (bus) =>
    bus.read({ unit, space, address, words }),
  )
  if (reply.kind === 'bad') {
    out.tell({ unit, space, address, words, failed: reply.reason })
    out.say(`unit ${unit}, ${space} ${address} to ${address + words - 1}: ${reply.reason}`)
    foundWanting()
    return
  }
  const candidates = candidatesOf(reply.words, address, space)
  const matches = near === undefined ? [] : rankNear(candidates, near, within)
  out.tell({ unit, space, address, words: reply.words, candidates, ...(near === undefined ? {} : { near, within, matches }) })
  out.say(
    table(
      [{ title: 'register' }, { title: 'hex' }, { title: 'decimal', align: 'right' }],
      reply.words.map((w, i) => [String(address + i), hexWord(w), String(w)]),
      out.columns,
    ),
  )
  if (near === undefined) sayCandidates(candidates, out)
  else sayMatches(matches, { near, within, space }, out)
}

function sayCandidates(candidates: readonly Candidate[], out: Output): void {
  out.say('')
  const rows = candidates.map((c) => [
    asText(c),
    shownNumber(c.raw),
    c.plausible.map((p) => `${p.quantity} ${shownNumber(p.value)}${p.scale === 1 ? '' : ` (×${p.scale})`}`).join(', '),
  ])
  out.say(table([{ title: 'as' }, { title: 'number', align: 'right' }, { title: 'could be' }], rows, out.columns))
}

/** One register has no word order. */
const asText = ({ address, type, order }: Pick<Candidate, 'address' | 'type' | 'order'>): string =>
  registersOf(type) === 1 && order === 'ABCD' ? `${address} ${type}` : `${address} ${type} ${order}`

const MOST_MATCHES = 5

function sayMatches(matches: readonly Match[], { near, within, space }: { near: number; within: number; space: Space }, out: Output): void {
  out.say('')
  if (matches.length === 0) {
    out.say(`nothing is within ${within} of ${near}: try other registers, or another space`)
    foundWanting()
    return
  }
  const rows = matches
    .slice(0, MOST_MATCHES)
    .map((m, i) => [`${i + 1}`, asText(m), shownNumber(m.value), shownNumber(m.off), m.scale === 1 ? '1' : shownNumber(m.scale)])
  out.say(
    table(
      [
        { title: '' },
        { title: 'as' },
        { title: 'value', align: 'right' },
        { title: 'off by', align: 'right' },
        { title: 'scale', align: 'right' },
      ],
      rows,
      out.columns,
    ),
  )
  const [best] = matches
  if (best) out.say(['', 'The first as a line of a profile:', pointLine({ ...best, space })])
  if (matches.length > MOST_MATCHES) out.say(`${matches.length - MOST_MATCHES} more; --json lists them all`)
}

function decimal(option: string, written: string): number {
  const n = Number(written)
  if (written.trim() === '' || !Number.isFinite(n)) throw new Fault('BAD_REQUEST', `${option} is ${written}`, 'give a number, as 1.24')
  return n
}

/** @returns whether every reading is GOOD. */
async function readAll(config: string, out: Output, { log, signal }: HandDeps): Promise<boolean> {
  const settings = await readSite(config)
  const profiles = await profilesBeside(config)
  const read: DeviceRead[] = []
  for (const bus of settings.buses) {
    await withBus(bus, { log, signal, waiting: out.progress }, async (open) => {
      for (const device of bus.devices) {
        const profile = profiles.get(device.profile)
        if (profile) read.push(await readOnce(toDevice(device, profile), open))
      }
    })
  }
  out.tell({ t: Date.now(), devices: read })
  for (const device of read) sayDevice(device, out)
  return read.every((d) => d.metrics.every((m) => m.reading.quality === 'good'))
}

function sayDevice(device: DeviceRead, out: Output): void {
  const requests = `${device.requests} ${device.requests === 1 ? 'request' : 'requests'}`
  out.say(out.bold(`${device.structure}, unit ${device.unit}: ${requests}, ${Math.round(device.took_ms)} ms`))
  const rows = device.metrics.map((m) => [
    m.metric,
    m.reading.quality === 'bad' ? '' : `${shownNumber(m.reading.value)} ${metricOf(m.metric)?.unit ?? ''}`.trimEnd(),
    m.reading.quality === 'bad' ? `bad: ${m.reading.reason}` : m.reading.quality,
    m.words?.map(hexWord).join(' ') ?? '',
    `${m.space} ${m.address}`,
  ])
  const columns = [
    { title: 'metric' },
    { title: 'value', align: 'right' as const },
    { title: 'quality' },
    { title: 'raw' },
    { title: 'at' },
  ]
  out.say(table(columns, rows, out.columns))
}

export async function runRead(config: string, out: Output, deps: HandDeps): Promise<void> {
  if (!(await readAll(config, out, deps))) foundWanting()
}

export async function runWatch(options: { config: string; every: string }, out: Output, { log, signal }: HandDeps): Promise<void> {
  const every = wholeNumber('--every', options.every, [1, 3600])
  while (!signal.aborted) {
    if (!out.json && process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[H')
    out.say(new Date().toISOString())
    await readAll(options.config, out, { log, signal })
    await sleep(every * 1000, undefined, { signal }).catch(() => undefined)
  }
}
