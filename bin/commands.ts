import { Command } from 'commander'
import type { Logger } from 'pino'
import type { Static, TSchema } from 'typebox'
import { parseConfig } from '#contract/config.ts'
import { VERSION } from '#contract/version.ts'
import { addAccessCommands } from './access-cli.ts'
import type { CalibrateOptions } from './calibrate.ts'
import { addEdgeCommands } from './edge-commands.ts'
import type { ImportOptions } from './import.ts'
import { openLog } from './log.ts'
import { stop } from './program.ts'
import { readText } from './read-text.ts'
import { DemoSettings, ServiceSettings } from './settings.ts'
import type { SimulateOptions } from './simulate.ts'
import type { FleetCommand } from './simulate-fleet.ts'

// Each command is loaded when it is given: an agent must not carry the databases of the center in its memory.

const logLevel = (otherwise: string): string => process.env['SLUICE_LOG_LEVEL'] ?? otherwise

/** Every command of `sluice`. */
export const program = new Command('sluice')
  .description('Open telemetry and SCADA for irrigation districts')
  .version(VERSION)
  // `simulate` and `simulate fleet` have options of the same names.
  .enablePositionalOptions()
const configured = (command: Command): Command =>
  command.requiredOption('-c, --config <file>', 'YAML file; docs/settings.md lists what may stand in it')

program
  .command('demo')
  .description('the whole system in one process on loopback, with the simulated Hetao district')
  .action(async () => {
    const settings = parseConfig(DemoSettings, { file: 'the environment', text: '', env: process.env })
    const { runDemo } = await import('./demo.ts')
    await runDemo(settings, openLog(logLevel('warn')), stop.signal)
  })

type Run = (settings: ServiceSettings, log: Logger, signal: AbortSignal) => Promise<void>
const SERVICES: readonly [name: string, description: string, load: () => Promise<Run>][] = [
  ['broker', 'the embedded MQTT broker as a process of its own', async () => (await import('./broker.ts')).runBroker],
  ['ingest', 'MQTT to live state, history and receipts', async () => (await import('./center.ts')).runIngest],
  ['api', 'REST, websocket and dashboard', async () => (await import('./center.ts')).runApi],
]
for (const [name, description, load] of SERVICES) {
  configured(program.command(name).description(description)).action(async ({ config }: { config: string }) => {
    const settings = readConfig(ServiceSettings, config)
    const run = await load()
    await run(settings, openLog(settings.log.level), stop.signal)
  })
}

configured(program.command('seed').description('write a district into the registry; what is there already stays as it is'))
  .requiredOption('-d, --district <folder>', 'a folder like districts/hetao')
  .action(async ({ config, district }: { config: string; district: string }) => {
    const settings = readConfig(ServiceSettings, config)
    const { seedRegistry } = await import('./center.ts')
    await seedRegistry(settings, district, openLog(settings.log.level))
  })

const person = program.command('person').description('people who may sign in')
configured(
  person
    .command('add <login>')
    .description(
      'add a person, or give one who is there a new password; it is read from standard input, or made, and must then be changed at the first sign-in',
    ),
)
  .requiredOption('-n, --name <name>', 'name to show')
  .requiredOption('-r, --role <role...>', 'viewer, dispatcher, supervisor, engineer, analyst or admin; in one area: dispatcher@yichang')
  .action(async (login: string, { config, name, role }: { config: string; name: string; role: string[] }) => {
    const settings = readConfig(ServiceSettings, config)
    const { addPerson } = await import('./person.ts')
    await addPerson(settings, { login, name, roles: role }, openLog(settings.log.level))
  })
configured(
  person
    .command('reset <login>')
    .description(
      'a new password, no second factor, enabled and unlocked: for who can not get in any more, and whom no administrator helps',
    ),
).action(async (login: string, { config }: { config: string }) => {
  const settings = readConfig(ServiceSettings, config)
  const { resetPerson } = await import('./person.ts')
  await resetPerson(settings, login, openLog(settings.log.level))
})

configured(program.command('calibrate').description('fit a gate’s flow factor to its current-meter gaugings, and show the fit'))
  .requiredOption('-g, --gate <id>', 'the structure')
  .requiredOption('--from <date>', 'gaugings from this date on: 2026-07-01 is 08:00 of that day')
  .requiredOption('--to <date>', 'until this date')
  .option('--set-from <date>', 'put the factor in force from this date on')
  .action(async ({ config, ...options }: CalibrateOptions & { config: string }) => {
    const settings = readConfig(ServiceSettings, config)
    const { runCalibrate } = await import('./calibrate.ts')
    process.stdout.write(await runCalibrate(settings, options, openLog(settings.log.level)))
  })

configured(program.command('backup').description('write registry and history to one file'))
  .requiredOption('--to <path>', 'a file that is not there yet, or a folder')
  .action(async ({ config, to }: { config: string; to: string }) => {
    const settings = readConfig(ServiceSettings, config)
    const { runBackup } = await import('./stores.ts')
    process.stdout.write(await runBackup(settings, to, openLog(settings.log.level)))
  })

configured(program.command('restore').description('put a backup into a registry and a history that hold nothing'))
  .requiredOption('--from <file>', 'what backup has written')
  .action(async ({ config, from }: { config: string; from: string }) => {
    const settings = readConfig(ServiceSettings, config)
    const { runRestore } = await import('./stores.ts')
    process.stdout.write(await runRestore(settings, from, openLog(settings.log.level)))
  })

program
  .command('mend-wal')
  .argument('<folder>', 'wal-dir of influxdb.conf')
  .description('before each start of InfluxDB 1.x: take the half-written entries of a full disk out of its write-ahead log')
  .action(async (folder: string) => {
    const { mendWal } = await import('#history/influx-wal.ts')
    const mended = mendWal(folder)
    for (const { file, half_bytes, hole_bytes } of mended)
      process.stdout.write(`${file}: half an entry of ${half_bytes} bytes and holes of ${hole_bytes} bytes taken out\n`)
  })

configured(program.command('import').description('read a CSV file of measured values into history, by a mapping of its columns'))
  .requiredOption('-f, --file <file>', 'the CSV, its first line the titles')
  .requiredOption('-m, --mapping <file>', 'YAML that says what the columns mean; docs/data.md')
  .option('--refused <file>', 'write every value that was refused here, with its line and why')
  .action(async ({ config, ...options }: ImportOptions & { config: string }) => {
    const settings = readConfig(ServiceSettings, config)
    const { runImport } = await import('./import.ts')
    process.stdout.write(await runImport(settings, options, openLog(settings.log.level)))
  })

addAccessCommands(program)
addEdgeCommands(program.command('edge').description('the agent of one site'), stop.signal)

const simulate = program.command('simulate').description('gate hardware of a district as Modbus TCP servers')
simulate
  .enablePositionalOptions()
  .option('-d, --district <folder>', 'a folder like districts/hetao')
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--base-port <port>', 'port of the first site; the others follow', '15020')
  .option('--seed <number>', 'seed of levels and flows', '1')
  .option('--sites <ids>', 'only these sites, separated by commas')
  .option('--truth <file>', 'append a JSON line for every read that is served')
  .option('--scenario <file>', 'faults that come by themselves; docs/simulators.md')
  .option('--control-port <port>', 'order faults over HTTP on 127.0.0.1; docs/simulators.md')
  .option('--write-configs <folder>', 'write one agent configuration for each site and end')
  .option('--mqtt <url>', 'broker to name in those configurations', 'mqtt://127.0.0.1:1883')
  .option('--outbox <folder>', 'where those agents keep their outboxes', './data/outbox')
  .option('--interval-ms <ms>', 'how often those agents read', '5000')
  .action(async (options: SimulateOptions) => {
    const { runSimulators } = await import('./simulate.ts')
    await runSimulators(options, openLog(logLevel('info')), stop.signal)
  })
simulate
  .command('fleet')
  .description(
    'thousands of virtual sites over Sparkplug, each as an agent with an outbox and receipts, to load a center; docs/simulators.md',
  )
  .option('--broker <url>', 'mqtt://HOST:PORT or mqtts://…', 'mqtt://127.0.0.1:1883')
  .option('--username <name>', 'user of the broker; the password is read from SLUICE_FLEET_PASSWORD')
  .option('--sites <count>', 'virtual sites', '100')
  .option('--structures <count>', 'structures of each site', '3')
  .option('--metrics <names>', 'of each structure, separated by commas', 'level_up,level_down,opening,flow,battery,rssi,mode,moving')
  .option('--rate <readings>', 'readings a second of the whole fleet; 0: the backlog, as fast as receipts come', '1000')
  .option('--backlog <samples>', 'samples of each metric that wait at the start', '0')
  .option('--sites-per-connection <count>', 'more than 1 shares connections, and then no will tells of a site’s end', '1')
  .option('--seconds <s>', 'end after so long; otherwise when it is interrupted')
  .option('--write-district <folder>', 'write these sites for `sluice seed`, and end')
  .action(async (options: FleetCommand) => {
    const { runFleet } = await import('./simulate-fleet.ts')
    process.stdout.write(await runFleet(options, openLog(logLevel('info')), stop.signal))
  })

program
  .command('settings')
  .description('every setting with its default and meaning, as Markdown')
  .action(async () => {
    const { settingsDocument } = await import('./settings-doc.ts')
    process.stdout.write(settingsDocument())
  })

const readConfig = <S extends TSchema>(schema: S, file: string): Static<S> =>
  parseConfig(schema, { file, text: readText(file), env: process.env })
