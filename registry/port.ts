import type { Area, Canal, District, Site, Structure } from '#contract/district.ts'
import type { Grant } from '#contract/may.ts'
import type { BirthTable } from '#contract/sparkplug/birth.ts'
import type { DeviceAddress, NodeAddress } from '#contract/topics.ts'
import type { UnixMs } from '#contract/units.ts'
import type { AccessRegistry } from './access.ts'
import type { AlarmRegistry } from './alarms.ts'
import type { AuditRegistry } from './audit.ts'
import type { Commissioning } from './commissioning.ts'
import type { Consultations } from './consultations.ts'
import type { ControlRegistry, KeyRegistry, OrderRegistry } from './control-port.ts'
import type { RegistryCopy } from './copy.ts'
import type { Corrections } from './corrections.ts'
import type { FlowMethods } from './flow-methods.ts'
import type { Gaps } from './gaps.ts'
import type { Imports } from './imports.ts'
import type { Leases } from './leases.ts'
import type { ManualReadings } from './manual-readings.ts'
import type { Notifications } from './notifications.ts'
import type { PastRegistry } from './past.ts'
import type { ReportIssues } from './report-issues.ts'
import type { SavedViews } from './saved-views.ts'
import type { ShiftLog } from './shift-log.ts'
import type { SiteConfigs } from './site-configs.ts'
import type { VerdictRules } from './verdict-rules.ts'

export type Person = {
  readonly id: string
  /** Sign-in name. */
  readonly login: string
  readonly name: string
  /** PHC string (`$argon2id$…`). */
  readonly passwordHash: string
  readonly grants: readonly Grant[]
  readonly failedSignIns: number
  readonly lockedUntil: UnixMs | null
  /** Somebody else knows the password: until it is changed the person may do nothing else. */
  readonly mustChangePassword: boolean
  readonly disabledAt: UnixMs | null
}

export type Session = {
  readonly tokenHash: string
  readonly personId: string
  readonly createdAt: UnixMs
  readonly expiresAt: UnixMs
  readonly ip: string | null
  /** What the browser calls itself. */
  readonly agent: string | null
  /** It was begun, or confirmed since, with a code of the second factor. */
  readonly secondFactor: boolean
}

/** What could not be made a sample, folded: one row for each (node, device, metric, reason), counted. */
export type DeadLetter = {
  readonly group: string
  readonly node: string
  readonly device: string | null
  readonly metric: string | null
  readonly reason: string
  /** A batch that was refused as a whole is a row of its own: its agent deletes it on the receipt, so this payload is all that is left. */
  readonly batch?: string
  /** The newest payload, base64, at most 64 KiB. */
  readonly payload: string
}
/** Asked for by a person; taken to history by ingest; or still not understood. */
export type ReplayState = 'asked' | 'done' | 'refused'
export type Replay = {
  readonly state: ReplayState
  readonly by: string
  readonly at: UnixMs
  /** How many samples went to history. */
  readonly samples: number
  /** What could not be taken, and why; empty for nothing. */
  readonly note: string
}
export type DeadLetterRow = Omit<DeadLetter, 'batch'> & {
  readonly id: number
  readonly count: number
  readonly firstAt: UnixMs
  readonly lastAt: UnixMs
  readonly replay: Replay | null
}
/** Who sent it. */
export type DeadLetterSource = Pick<DeadLetter, 'group' | 'node' | 'device'>

export type NewPerson = {
  readonly login: string
  readonly name: string
  readonly passwordHash: string
  readonly grants: readonly Grant[]
  readonly mustChangePassword: boolean
}
export type PersonChange = { readonly name?: string; readonly grants?: readonly Grant[]; readonly disabledAt?: UnixMs | null }
export type Page = { readonly limit: number; readonly offset: number }
export type Paged<T> = { readonly items: T[]; readonly total: number }

/** Every method @throws Fault REGISTRY_UNREACHABLE when the database does not answer, CONFLICT when an id is taken. */
export interface Registry {
  readonly district: {
    /** Adds what is missing, changes nothing that is there: people may have edited it. @returns how many rows were added. */
    seed(district: District): Promise<number>
    areas(): Promise<Area[]>
    canals(): Promise<Canal[]>
    sites(): Promise<Site[]>
    structures(): Promise<Structure[]>
    structure(id: string): Promise<Structure | undefined>
    addSite(site: Site): Promise<void>
    addStructure(structure: Structure): Promise<void>
  }
  readonly people: {
    byLogin(login: string): Promise<Person | undefined>
    byId(id: string): Promise<Person | undefined>
    add(person: NewPerson): Promise<Person>
    setPassword(id: string, password: { readonly hash: string; readonly mustChange: boolean }): Promise<void>
    /** Counts a failed sign-in and locks the person out until `lockedUntil` when it is given. @returns the count. */
    recordFailure(id: string, lockedUntil: UnixMs | null): Promise<number>
    clearFailures(id: string): Promise<void>
    /** By login. */
    list(): Promise<Person[]>
    /** What is not given stays. @returns the person as changed. */
    change(id: string, change: PersonChange): Promise<Person>
  }
  readonly sessions: {
    add(session: Session): Promise<void>
    byTokenHash(tokenHash: string): Promise<Session | undefined>
    remove(tokenHash: string): Promise<void>
    removeExpired(now: UnixMs): Promise<number>
    of(personId: string): Promise<Session[]>
    noteSecondFactor(tokenHash: string): Promise<void>
  }
  readonly births: {
    /** `device` undefined is the node's own birth. Replaces an older one. */
    put(address: NodeAddress & Partial<Pick<DeviceAddress, 'device'>>, table: BirthTable): Promise<void>
    all(): Promise<{ address: NodeAddress & { device?: string }; table: BirthTable }[]>
  }
  readonly deadLetters: {
    /** Durable when it resolves. */
    add(letters: readonly DeadLetter[], at: UnixMs): Promise<void>
    /** Newest first. */
    list(page: Page): Promise<Paged<DeadLetterRow>>
    /** Asks ingest to take those of one source again that it has not taken yet. @returns how many. */
    askReplay(source: DeadLetterSource, made: { by: string; at: UnixMs }): Promise<number>
    /** Those that are asked for, in the order in which they came. */
    asked(limit: number): Promise<DeadLetterRow[]>
    settleReplay(id: number, outcome: Omit<Replay, 'by'>): Promise<void>
  }
  readonly gaps: Gaps
  readonly flowMethods: FlowMethods
  readonly verdictRules: VerdictRules
  readonly corrections: Corrections
  readonly manualReadings: ManualReadings
  readonly reportIssues: ReportIssues
  readonly imports: Imports
  readonly leases: Leases
  readonly savedViews: SavedViews
  readonly shiftLog: ShiftLog
  readonly commissioning: Commissioning
  readonly siteConfigs: SiteConfigs
  readonly audit: AuditRegistry
  readonly control: ControlRegistry
  readonly keys: KeyRegistry
  readonly access: AccessRegistry
  readonly orders: OrderRegistry
  readonly alarms: AlarmRegistry
  readonly notifications: Notifications
  readonly past: PastRegistry
  readonly consultations: Consultations
  readonly copy: RegistryCopy
  ready(): Promise<void>
  close(): Promise<void>
}
