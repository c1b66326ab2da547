import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Fault, messageOf } from '#contract/fault.ts'
import { accessRepository } from './access.ts'
import { alarmRepository } from './alarms.ts'
import { auditRepository } from './audit.ts'
import { birthRepository } from './births.ts'
import { commissioningRepository } from './commissioning.ts'
import { consultationRepository } from './consultations.ts'
import { controlRepository, keyRepository } from './control.ts'
import { registryCopy } from './copy.ts'
import { correctionRepository } from './corrections.ts'
import { Database, type Engine, isAway } from './database.ts'
import { deadLetterRepository } from './dead-letters.ts'
import { districtRepository } from './district.ts'
import { flowMethodRepository } from './flow-methods.ts'
import { gapRepository } from './gaps.ts'
import { importRepository } from './imports.ts'
import { leaseRepository } from './leases.ts'
import { manualReadingRepository } from './manual-readings.ts'
import { notificationRepository } from './notifications.ts'
import { orderRepository } from './orders.ts'
import { pastRepository } from './past.ts'
import { peopleRepository, sessionRepository } from './people.ts'
import { openPglite } from './pglite.ts'
import type { Registry } from './port.ts'
import { openPostgres } from './postgres.ts'
import { reportIssueRepository } from './report-issues.ts'
import { savedViewRepository } from './saved-views.ts'
import { shiftLogRepository } from './shift-log.ts'
import { siteConfigRepository } from './site-configs.ts'
import { verdictRuleRepository } from './verdict-rules.ts'

export type RegistryDeps = {
  readonly log: Logger
  /** The folder `registry/migrations` of the package: a bundle can't find it by itself. */
  readonly migrationsFolder: string
}

const ENGINES: Record<string, (url: string, log: Logger) => Engine | Promise<Engine>> = {
  'pglite:': (url, log) => openPglite(url.slice('pglite:'.length), log),
  'postgres:': openPostgres,
  'postgresql:': openPostgres,
}

/**
 * Opens the registry that `url` names: `pglite:PATH` or `postgres://user:password@host:port/database`, and brings its tables up to date.
 * A server that is away now is no error: it is asked again at each use, and its tables are seen to then.
 * @throws Fault URL_UNSUPPORTED, DATA_IN_USE, DATA_CORRUPT, DISK_FULL, CONFIG_INVALID; REGISTRY_UNREACHABLE where the server refuses us.
 */
export async function openRegistry(url: string, deps: RegistryDeps): Promise<Registry> {
  const open = ENGINES[/^[a-z]+:/.exec(url)?.[0] ?? '']
  if (!open || url === 'pglite:')
    throw new Fault(
      'URL_UNSUPPORTED',
      'the registry URL is of no known kind',
      'write pglite:PATH or postgres://user:password@host/database',
    )
  if (!existsSync(join(deps.migrationsFolder, 'meta', '_journal.json'))) throw new Error(`${deps.migrationsFolder} holds no migrations`)
  const engine = await open(url, deps.log)
  const database = new Database(engine, deps)
  try {
    await database.ready()
  } catch (error) {
    if (!isAway(error)) {
      await database.close()
      throw error
    }
    deps.log.warn({ error: messageOf(error) }, 'registry: not there yet; trying again at each use')
  }
  return registryOn(database, deps.log)
}

function registryOn(database: Database, log: Logger): Registry {
  return {
    district: districtRepository(database),
    people: peopleRepository(database),
    sessions: sessionRepository(database),
    births: birthRepository(database, log),
    deadLetters: deadLetterRepository(database),
    gaps: gapRepository(database),
    flowMethods: flowMethodRepository(database),
    verdictRules: verdictRuleRepository(database),
    corrections: correctionRepository(database),
    manualReadings: manualReadingRepository(database),
    reportIssues: reportIssueRepository(database),
    imports: importRepository(database),
    leases: leaseRepository(database),
    savedViews: savedViewRepository(database),
    shiftLog: shiftLogRepository(database),
    commissioning: commissioningRepository(database),
    siteConfigs: siteConfigRepository(database),
    audit: auditRepository(database),
    control: controlRepository(database),
    keys: keyRepository(database),
    access: accessRepository(database),
    orders: orderRepository(database),
    alarms: alarmRepository(database),
    notifications: notificationRepository(database),
    past: pastRepository(database),
    consultations: consultationRepository(database),
    copy: registryCopy(database),
    ready: () => database.ready(),
    close: () => database.close(),
  }
}
