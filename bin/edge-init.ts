import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { parseConfig } from '#contract/config.ts'
import { Fault } from '#contract/fault.ts'
import { SiteKeys } from '#edge-agent/command/settings.ts'
import { parseBusUrl } from '#edge-agent/commission/bus-url.ts'
import { checkConfig } from '#edge-agent/commission/check.ts'
import { type Choices, configText } from '#edge-agent/commission/write-config.ts'
import { type Answers, askSite, outboxOf } from './edge-ask.ts'
import { profilesBeside } from './edge-config.ts'
import type { Output } from './edge-output.ts'
import { readText } from './read-text.ts'

export type InitOptions = {
  readonly output: string
  readonly force?: boolean
  readonly site?: string
  readonly area?: string
  readonly broker?: string
  readonly outbox?: string
  readonly intervalMs: string
  /** File of `sluice access site`: it names site, area and broker too. */
  readonly keys?: string
  readonly bus?: string
  /** STRUCTURE=UNIT:PROFILE[:LEAVES] */
  readonly device?: readonly string[]
}

/** Asks for what the flags leave open, on a terminal; elsewhere it says what is missing. */
export async function runInit(options: InitOptions, out: Output, { log, signal }: { log: Logger; signal: AbortSignal }): Promise<void> {
  if (existsSync(options.output) && !options.force) {
    throw new Fault('CONFLICT', `${options.output} is there already`, 'name another file with --output, or overwrite it with --force')
  }
  const profiles = await profilesBeside(options.output)
  const keys = options.keys === undefined ? undefined : readKeys(options.keys)
  const known = keys ? { ...options, site: keys.site, area: keys.area, broker: keys.broker.url } : options
  const answers = process.stdin.isTTY && !out.json ? await askSite(known, { profiles, log, signal }) : given(known)
  const choices: Choices = {
    ...answers,
    ...(keys && { keys: { ...keys, control: { ...keys.control, state: join(dirname(answers.outbox), `control-${keys.site}`) } } }),
    interval_ms: Number(options.intervalMs),
    bus: { ...parseBusUrl(answers.bus), name: 'gatehouse' },
    devices: answers.devices.map(parseDevice),
  }
  const text = configText(choices)
  const result = checkConfig({ file: options.output, text, profiles })
  if (result.kind === 'refused') throw new Fault('CONFIG_INVALID', result.errors.join('\n'), 'correct the answers named and run it again')
  writeFileSync(options.output, text, { mode: keys ? 0o600 : 0o640 })
  out.tell({ file: options.output, warnings: result.warnings })
  for (const warning of result.warnings) out.say(`${out.warn('warning')} ${warning}`)
  out.say(`${options.output} is written; next: sluice edge read -c ${options.output}`)
}

/** @throws Fault CONFIG_UNREADABLE, CONFIG_INVALID */
const readKeys = (file: string): SiteKeys => parseConfig(SiteKeys, { file, text: readText(file) })

function given({ site, area, broker, outbox, bus, device }: InitOptions): Answers {
  const missing = Object.entries({ site, area, broker, bus, device }).flatMap(([name, value]) => (value === undefined ? [`--${name}`] : []))
  if (site === undefined || area === undefined || broker === undefined || bus === undefined || device === undefined) {
    throw new Fault(
      'BAD_REQUEST',
      `${missing.join(', ')} must be given where nobody can be asked`,
      'give the flags, or run it on a terminal',
    )
  }
  return { site, area, broker, outbox: outbox ?? outboxOf(site), bus, devices: device }
}

export function parseDevice(written: string): Choices['devices'][number] {
  const match = /^([A-Za-z0-9_.-]+)=(\d{1,3}):([^:]+)(?::(\d{1,2}))?$/.exec(written)
  if (!match) throw new Fault('BAD_REQUEST', `${written} is no device`, 'write STRUCTURE=UNIT:PROFILE or STRUCTURE=UNIT:PROFILE:LEAVES')
  const [, structure = '', unit, profile = '', leaves] = match
  return { structure, unit: Number(unit), profile, leaves: Number(leaves ?? 1) }
}
