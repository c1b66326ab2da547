import type { Logger } from 'pino'
import { Fault } from '#contract/fault.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { ID_PATTERN } from '#contract/topics.ts'
import { parseBusUrl } from '#edge-agent/commission/bus-url.ts'
import { listPorts } from '#edge-agent/commission/ports.ts'
import { parseUnits, scanBus, type UnitFound } from '#edge-agent/commission/scan.ts'
import { scanTimeoutMs, withBus } from './with-bus.ts'

/** What a site's file can't do without. Devices: STRUCTURE=UNIT:PROFILE:LEAVES. */
export type Answers = { site: string; area: string; broker: string; outbox: string; bus: string; devices: readonly string[] }
type Known = { readonly [K in Exclude<keyof Answers, 'devices'>]?: string | undefined } & {
  readonly device?: readonly string[] | undefined
}
type AskDeps = { readonly profiles: ReadonlyMap<string, DeviceProfile>; readonly log: Logger; readonly signal: AbortSignal }

export const outboxOf = (site: string): string => `/var/lib/sluice/outbox/${site}`

type Validate = (written: string | undefined) => string | undefined
const matches =
  (pattern: RegExp, otherwise: string): Validate =>
  (v) =>
    pattern.test(v ?? '') ? undefined : otherwise
const isId = matches(new RegExp(ID_PATTERN), 'letters, digits, . _ - and no space')
const isCount = matches(/^[1-9]\d?$/, '1 to 99')
const isUnit: Validate = (v) => (/^\d{1,3}$/.test(v ?? '') && Number(v) <= 255 ? undefined : '0 to 255')
const isUnits: Validate = (v) => (parseUnits(v ?? '') ? undefined : 'as 1-32 or 1,2,17')

/** Asks on a terminal for what is not known. @throws Fault BAD_REQUEST when the person gives up */
export async function askSite(known: Known, deps: AskDeps): Promise<Answers> {
  const ask = await openQuestions()
  const site = known.site ?? (await ask.word('Site, as registered in the center', '', isId))
  const area = known.area ?? (await ask.word('Area', '', isId))
  const isBroker = matches(/^(mqtts?|wss?):\/\/[^/]+/, 'mqtts://HOST:PORT')
  const broker = known.broker ?? (await ask.word('Broker', 'mqtts://', isBroker))
  const outbox = known.outbox ?? (await ask.word('Folder of the outbox', outboxOf(site), matches(/./, 'a folder')))
  const bus = known.bus ?? (await askBus(ask))
  return { site, area, broker, outbox, bus, devices: known.device ?? (await askDevices(ask, bus, deps)) }
}

type Questions = Awaited<ReturnType<typeof openQuestions>>

async function openQuestions() {
  const clack = await import('@clack/prompts')
  const must = <T>(answer: T): Exclude<T, symbol> => {
    if (clack.isCancel(answer)) throw new Fault('BAD_REQUEST', 'nothing was written', 'run it again when you know')
    return answer as Exclude<T, symbol>
  }
  return {
    word: async (message: string, initialValue: string, validate: Validate): Promise<string> =>
      must(await clack.text({ message, initialValue, validate })),
    agree: async (message: string, otherwise: { initialValue: boolean }): Promise<boolean> =>
      must(await clack.confirm({ message, ...otherwise })),
    choose: async (message: string, options: readonly { value: string; hint?: string }[]): Promise<string> =>
      must(await clack.select({ message, options: options.map(({ value, hint }) => ({ value, ...(hint && { hint }) })) })),
    tell: (text: string): void => clack.log.info(text),
    spin: () => clack.spinner(),
  }
}

/** @returns the bus in one word, as `--bus` takes it. */
async function askBus(ask: Questions): Promise<string> {
  const transport = await ask.choose('How are the sensors reached?', [
    { value: 'tcp', hint: 'Modbus TCP: a controller or a gateway in the network' },
    { value: 'serial', hint: 'RS-485 at this machine' },
    { value: 'rtu-over-tcp', hint: 'a serial server that passes RTU frames on' },
    { value: 'dtu', hint: 'a DTU that dials in to this machine' },
  ])
  if (transport === 'serial') return await askSerial(ask)
  const isBus: Validate = (v) => whyNot(() => parseBusUrl(`${transport}://${v}`))
  if (transport === 'dtu') return await askDtu(ask, isBus)
  return `${transport}://${await ask.word('Its address and port', '192.168.1.10:502', isBus)}`
}

async function askDtu(ask: Questions, isBus: Validate): Promise<string> {
  const at = await ask.word('Address and port to listen on', '0.0.0.0:5020', isBus)
  const withPacket = (packet: string): string => (packet === '' ? at : `${at}?registration=${encodeURIComponent(packet)}`)
  const packet = await ask.word('What it sends first when it dials in, as text or hex:…; empty where it sends nothing', '', (v) =>
    isBus(withPacket(v ?? '')),
  )
  return `dtu://${withPacket(packet)}`
}

async function askSerial(ask: Questions): Promise<string> {
  const OTHER = 'another'
  const ports = (await listPorts()).map(({ path, stable, maker }) => ({
    value: stable ?? path,
    hint: [path, maker].filter(Boolean).join(' '),
  }))
  const chosen = ports.length === 0 ? OTHER : await ask.choose('Port', [...ports, { value: OTHER }])
  const path = chosen === OTHER ? await ask.word('Path of the port', '/dev/ttyUSB0', matches(/^\/\S+$/, '/dev/…')) : chosen
  const baud = await ask.choose(
    'Baud rate, as on the plate of the sensor',
    ['9600', '4800', '19200', '38400', '115200', '2400', '1200'].map((value) => ({ value })),
  )
  const parity = await ask.choose(
    'Parity',
    ['none', 'even', 'odd'].map((value) => ({ value })),
  )
  return `serial://${path}?baud_rate=${baud}&parity=${parity}`
}

async function askDevices(ask: Questions, bus: string, deps: AskDeps): Promise<string[]> {
  const devices: string[] = []
  const add = async (unit: string, fits: UnitFound['fits']): Promise<void> => {
    const structure = await ask.word(`Structure that unit ${unit} measures`, '', isId)
    const fit = new Map(fits.map((f) => [f.profile, `reads it: ${f.good} of ${f.of} good`]))
    const names = [...fit.keys(), ...[...deps.profiles.keys()].filter((name) => !fit.has(name))]
    const options = names.map((value) => ({ value, hint: fit.get(value) ?? deps.profiles.get(value)?.title ?? '' }))
    const profile = await ask.choose('Its profile', options)
    devices.push(`${structure}=${unit}:${profile}:${await ask.word('Gate leaves', '1', isCount)}`)
  }
  if (await ask.agree('Look for units on the bus now? It only reads', { initialValue: true }))
    for (const { unit, fits } of await scan(ask, bus, deps))
      if (await ask.agree(`Take unit ${unit} into the file?`, { initialValue: true })) await add(String(unit), fits)
  while (devices.length === 0 || (await ask.agree('Another device on this bus?', { initialValue: false })))
    await add(await ask.word('Modbus unit', String(devices.length + 1), isUnit), [])
  return devices
}

async function scan(ask: Questions, bus: string, { profiles, log, signal }: AskDeps): Promise<UnitFound[]> {
  const units = parseUnits(await ask.word('Which units', '1-16', isUnits)) ?? []
  const spinner = ask.spin()
  spinner.start('looking')
  const chosen = parseBusUrl(bus)
  const address = { ...chosen, timeout_ms: scanTimeoutMs(chosen) }
  const progress = (unit: number): void => spinner.message(`unit ${unit}`)
  const { found, reached } = await withBus(address, { log, signal, waiting: (text) => spinner.message(text) }, (open) =>
    scanBus(open, { units, profiles, signal, progress, found: () => undefined }),
  ).finally(() => spinner.stop('looked'))
  const listed = found.map((u) => `unit ${u.unit}${u.fits[0] ? `, read by ${u.fits[0].profile}` : ', read by no profile'}`)
  if (!reached) ask.tell('the bus can not be reached; the file can be written all the same')
  else ask.tell(found.length === 0 ? 'no unit answers' : `${listed.length} of ${units.length} units answer: ${listed.join('; ')}`)
  return found
}

function whyNot(attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    if (error instanceof Fault) return error.message
    throw error
  }
}
