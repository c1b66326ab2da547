import type { Command } from 'commander'
import { parseConfig } from '#contract/config.ts'
import { EdgeSettings } from '#edge-agent/settings.ts'
import { wholeNumber } from './edge-config.ts'
import { openOutput } from './edge-output.ts'
import { openLog } from './log.ts'
import { readText } from './read-text.ts'

/** The field engineer's commands. Each is loaded when it is given. */

type Json = { readonly json?: boolean }

export function addEdgeCommands(edge: Command, signal: AbortSignal): void {
  // A bus tells why a port is not there; on a terminal that is the first thing to know.
  const log = () => openLog(process.env['SLUICE_LOG_LEVEL'] ?? 'warn')
  const command = (name: string, description: string): Command =>
    edge.command(name).description(description).option('--json', 'for a program: JSON, a line each')
  const site = (c: Command): Command => c.requiredOption('-c, --config <file>', 'site file')
  const bus = (c: Command): Command =>
    c
      .option(
        '-b, --bus <bus>',
        'tcp://HOST[:PORT], serial:///dev/ttyUSB0?baud_rate=9600&parity=none, rtu-over-tcp://HOST:PORT, dtu://ADDRESS:PORT; with --config the name of one',
      )
      .option('-c, --config <file>', 'site file that holds the bus')
      .option('--timeout-ms <ms>', 'longest wait for one reply')

  edge
    .command('run', { isDefault: true })
    .description('read the gates, keep every reading, publish it until it is receipted')
    .requiredOption('-c, --config <file>', 'site file; docs/settings.md lists what may stand in it')
    .action(async ({ config }: { config: string }) => {
      const text = readText(config)
      const settings = parseConfig(EdgeSettings, { file: config, text, env: process.env })
      const { runEdge } = await import('./edge.ts')
      await runEdge({ settings, file: config, text }, openLog(process.env['SLUICE_LOG_LEVEL'] ?? 'info'), signal)
    })

  command('init', 'write a commented site file; on a terminal it asks for what the options leave open, and can scan the bus')
    .option('-o, --output <file>', 'file to write', 'site.yaml')
    .option('--force', 'overwrite it')
    .option('--site <id>', 'site')
    .option('--area <id>', 'area')
    .option('--broker <url>', 'mqtts://HOST:PORT')
    .option('--keys <file>', 'file of `sluice access site`: site, area, broker, credentials and keys')
    .option('--outbox <folder>', 'folder of the outbox')
    .option('--interval-ms <ms>', 'how often each device is read', '5000')
    .option('-b, --bus <url>', 'tcp://HOST[:PORT], serial:///dev/ttyUSB0?baud_rate=9600, …')
    .option('-d, --device <device...>', 'devices on the bus: STRUCTURE=UNIT:PROFILE[:LEAVES]')
    .action(async (options: Json & Parameters<typeof import('./edge-init.ts').runInit>[0]) => {
      wholeNumber('--interval-ms', options.intervalMs, [100, 86_400_000])
      await (await import('./edge-init.ts')).runInit(options, openOutput(options), { log: log(), signal })
    })

  command(
    'password',
    'the hash of a password for the page of the site (page.password_hash); it is asked for, or read from standard input',
  ).action(async (options: Json) => {
    await (await import('./edge-password.ts')).runPassword(openOutput(options))
  })

  site(command('check', 'look a site file over without any connection'))
    .option('--strict', 'exit code 2 when something is suspicious')
    .action(async (options: Json & { config: string; strict?: boolean }) => {
      await (await import('./edge-check.ts')).runCheck(options.config, options, openOutput(options))
    })

  command('ports', 'serial ports of this machine').action(async (options: Json) => {
    await (await import('./edge-bus.ts')).runPorts(openOutput(options))
  })

  bus(command('scan', 'which units of a bus answer, and to what; reads only'))
    .option('-u, --units <units>', 'as 1-32 or 1,2,17', '1-247')
    .action(async (options: Json & import('./edge-bus.ts').ScanOptions) => {
      await (await import('./edge-bus.ts')).runScan(options, openOutput(options), { log: log(), signal })
    })

  bus(
    command('probe', 'raw words, and what they would be in every type and word order').argument(
      '<address>',
      'first register, 0-based, decimal or 0x…',
    ),
  )
    .option('-u, --unit <unit>', 'Modbus unit', '1')
    .option('-s, --space <space>', 'holding, input, coil or discrete', 'holding')
    .option('-w, --words <count>', 'how many registers', '4')
    .option('--one-based', 'the address is counted from 1, as in many manuals')
    .option('-n, --near <value>', 'what the staff gauge shows: ranks what comes near')
    .option('--within <value>', 'how far off it may be')
    .action(async (address: string, options: Json & import('./edge-bus.ts').ProbeOptions) => {
      await (await import('./edge-bus.ts')).runProbe(address, options, openOutput(options), { log: log(), signal })
    })

  site(command('read', 'read every device once: raw, scaled, quality, time taken')).action(async (options: Json & { config: string }) => {
    await (await import('./edge-bus.ts')).runRead(options.config, openOutput(options), { log: log(), signal })
  })

  site(command('watch', 'read every device again and again'))
    .option('--every <s>', 'seconds between two reads', '2')
    .action(async (options: Json & { config: string; every: string }) => {
      await (await import('./edge-bus.ts')).runWatch(options, openOutput(options), { log: log(), signal })
    })

  command('status', 'how the running agent fares')
    .option('-c, --config <file>', 'site file')
    .option('--outbox <folder>', 'folder of the outbox')
    .action(async (options: Json & import('./edge-status.ts').OutboxChoice) => {
      await (await import('./edge-status.ts')).runStatus(options, openOutput(options))
    })

  const outbox = edge.command('outbox').description('what waits in the outbox')
  outbox
    .command('export')
    .description('the waiting readings as CSV or NDJSON, while the agent runs or stands still')
    .option('--json', 'the same as --format ndjson')
    .option('-c, --config <file>', 'site file')
    .option('--outbox <folder>', 'folder of the outbox')
    .option('-f, --format <format>', 'csv or ndjson', 'csv')
    .option('-o, --output <file>', 'a new file; standard output otherwise')
    .action(async (options: Json & import('./edge-status.ts').ExportOptions) => {
      await (await import('./edge-status.ts')).runOutboxExport(options, openOutput(options))
    })
}
