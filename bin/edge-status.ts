import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { Fault } from '#contract/fault.ts'
import { CSV_HEAD, csvLine, readOutbox } from '#edge-agent/commission/outbox-export.ts'
import { type AgentStatus, askStatus } from '#edge-agent/commission/status.ts'
import { byteCount, duration, table } from '#edge-agent/commission/table.ts'
import { readSite } from './edge-config.ts'
import { foundWanting, type Output } from './edge-output.ts'

export type OutboxChoice = { readonly config?: string; readonly outbox?: string }

async function outboxOf({ config, outbox }: OutboxChoice): Promise<string> {
  if (outbox !== undefined) return outbox
  if (config !== undefined) return (await readSite(config)).outbox.path
  throw new Fault('BAD_REQUEST', 'no outbox is named', 'give the site file with --config, or the folder with --outbox')
}

export async function runStatus(choice: OutboxChoice, out: Output): Promise<void> {
  const path = await outboxOf(choice)
  const status = await askStatus(path)
  out.tell(status ?? { running: false, outbox: path })
  if (!status) {
    out.say(`no agent runs on ${path}`)
    foundWanting()
    return
  }
  sayStatus(status, out)
}

function sayStatus(status: AgentStatus, out: Output): void {
  const { stats, health, t } = status
  const age = (then: number | null): string => (then === null ? 'never' : `${duration(t - then)} ago`)
  const some = (value: number | null, unit: (n: number) => string): string => (value === null ? '' : unit(value))
  out.say(
    out.bold(
      `${status.site} in ${status.area}, version ${status.version}, process ${status.pid}, up ${duration((health.uptime_s ?? 0) * 1000)}`,
    ),
  )
  const lines: readonly [string, string][] = [
    ['center', stats.connected ? out.good('connected') : out.warn('not connected')],
    ['last receipt', `${age(stats.last_receipt_t)}${some(health.receipt_delay_ms, (n) => `, ${n} ms after its batch`)}`],
    ['in flight', `${stats.in_flight} batches`],
    ['outbox', `${stats.outbox.pending} waiting, ${byteCount(stats.outbox.pending_bytes)}, oldest ${age(stats.outbox.oldest_t)}`],
    ['room', some(health.outbox_room_h, (n) => `${duration(n * 3_600_000)} at the present rate`)],
    [
      'lost',
      stats.outbox.lost_readings === 0
        ? 'nothing'
        : out.warn(`${stats.outbox.lost_readings} readings, the last of ${age(stats.outbox.lost_to_t)}`),
    ],
    ['bytes today', some(health.bytes_today, byteCount)],
    [
      'this month',
      some(
        health.bytes_month,
        (n) =>
          `${byteCount(n)}${some(health.month_end_mb, (mb) => `, ${mb.toFixed(1)} MB by its end`)}${some(health.plan_mb, (mb) => ` of ${mb} MB`)}`,
      ),
    ],
    ['missed polls', String(stats.missed_cycles)],
    [
      'configuration',
      some(health.config_version, (n) => `version ${n} from the center, ${health.config_hash}`) ||
        (health.config_hash === null ? '' : `the site’s own file, ${health.config_hash}`),
    ],
  ]
  for (const [name, value] of lines) if (value !== '') out.say(`${name.padEnd(13)} ${value}`)
  out.say('')
  const ms = (n: number | null): string => (n === null ? '' : `${n} ms`)
  out.say(
    table(
      [
        { title: 'bus' },
        { title: 'cycle', align: 'right' },
        { title: 'longest', align: 'right' },
        { title: 'requests', align: 'right' },
        { title: 'timeouts', align: 'right' },
        { title: 'bad', align: 'right' },
      ],
      status.buses.map((b) => [
        b.name,
        ms(b.cycle_ms),
        ms(b.longest_cycle_ms),
        String(b.requests),
        String(b.timeouts),
        String(b.bad_replies),
      ]),
      out.columns,
    ),
  )
  out.say('')
  out.say(
    table(
      [
        { title: 'device' },
        { title: 'unit', align: 'right' },
        { title: 'took', align: 'right' },
        { title: 'last good' },
        { title: 'errors' },
      ],
      status.devices.map((d) => [
        d.structure,
        String(d.unit),
        ms(d.took_ms),
        age(d.last_good_t),
        Object.entries(d.errors)
          .map(([why, n]) => `${why} ${n}`)
          .join(', '),
      ]),
      out.columns,
    ),
  )
}

export type ExportOptions = OutboxChoice & { readonly format: string; readonly output?: string }

/** Works beside a running agent. With --json the result is NDJSON. */
export async function runOutboxExport(options: ExportOptions, out: Output): Promise<void> {
  const format = out.json ? 'ndjson' : options.format
  if (format !== 'csv' && format !== 'ndjson') throw new Fault('BAD_REQUEST', `--format is ${format}`, 'use csv or ndjson')
  const path = await outboxOf(options)
  const to = options.output === undefined ? process.stdout : createWriteStream(options.output, { flags: 'wx' })
  const write = async (text: string): Promise<void> => {
    if (!to.write(text)) await once(to, 'drain')
  }
  if (to !== process.stdout) await once(to, 'open')
  const waiting = readOutbox(path)
  let readings = 0
  let step = await waiting.next()
  if (format === 'csv') await write(CSV_HEAD)
  for (; !step.done; step = await waiting.next()) {
    await write(format === 'csv' ? csvLine(step.value) : `${JSON.stringify(step.value)}\n`)
    readings += 1
  }
  if (to !== process.stdout) await new Promise((resolve) => to.end(() => resolve(undefined)))
  process.stderr.write(`${readings} readings wait in ${path}${step.value > 0 ? `; ${step.value} damaged records were left out` : ''}\n`)
  if (step.value > 0) foundWanting()
}
