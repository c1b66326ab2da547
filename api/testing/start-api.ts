import { join } from 'node:path'
import { pino } from 'pino'
import { Value } from 'typebox/value'
import type { Grant } from '#contract/may.ts'
import { openHistory } from '#history/open.ts'
import type { History } from '#history/port.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { copyRegistry } from '#test/support/registry-template.ts'
import { type ApiDeps, type App, buildApp } from '../app.ts'
import { ensurePerson } from '../auth/ensure-person.ts'
import { ApiSettings } from '../settings.ts'
import { DISTRICT } from './district.ts'

export const LOG = pino({ level: process.env['LOG'] ?? 'silent' })
/** No broker listens there. */
export const NO_BROKER = 'mqtt://127.0.0.1:1'
export const PASSWORD = 'correct horse battery staple'
export const PEOPLE: Readonly<Record<string, readonly Grant[]>> = {
  chief: [{ role: 'admin', area: null }],
  wang: [{ role: 'dispatcher', area: 'yichang' }],
  engineer: [{ role: 'engineer', area: 'yichang' }],
  nobody: [],
}

export type AuditEntry = Parameters<Registry['audit']['append']>[0]
type Changes = { readonly [K in keyof ApiSettings]?: Partial<ApiSettings[K]> }
type Wanted = Pick<ApiDeps, 'mqttUrl'> & { readonly registry: Registry; readonly history: History; readonly settings?: Changes } & Partial<
    Pick<ApiDeps, 'dashboardFolder' | 'now' | 'username' | 'password'>
  >

export function settingsWith(changes: Changes = {}): ApiSettings {
  const defaults = Value.Parse(ApiSettings, Value.Default(ApiSettings, {}))
  return {
    control: { ...defaults.control, ...changes.control },
    http: { ...defaults.http, ...changes.http },
    map: { ...defaults.map, ...changes.map },
    session: { ...defaults.session, ...changes.session },
    sign_in: { ...defaults.sign_in, ...changes.sign_in },
    volumes: { ...defaults.volumes, ...changes.volumes },
  }
}

export type Stores = { readonly registry: Registry; readonly history: History; close(): Promise<void> }

/** The embedded stores in `folder`, with the test district and its people. */
export async function openStores(folder: string): Promise<Stores> {
  const registry = await openRegistry(await copyRegistry(join(folder, 'registry')), { log: LOG, migrationsFolder: 'registry/migrations' })
  const history = await openHistory(`duckdb:${join(folder, 'history.duckdb')}`, { log: LOG })
  await seed(registry)
  return {
    registry,
    history,
    close: async () => {
      await history.close()
      await registry.close()
    },
  }
}

async function seed(registry: Registry): Promise<void> {
  await registry.district.seed(DISTRICT)
  for (const [login, grants] of Object.entries(PEOPLE)) await ensurePerson(registry, { login, password: PASSWORD, name: login, grants })
}

/** The application with real stores behind it, not listening yet, and what it has written to the audit trail. */
export async function startApp(wanted: Wanted): Promise<{ app: App; audited: AuditEntry[] }> {
  const { registry, history, mqttUrl, username, password, dashboardFolder, now } = wanted
  const audited: AuditEntry[] = []
  const audit: Registry['audit'] = {
    ...registry.audit,
    append: async (entry) => {
      await registry.audit.append(entry)
      audited.push(entry)
    },
  }
  const app = await buildApp(settingsWith(wanted.settings), {
    log: LOG,
    registry: { ...registry, audit },
    history,
    mqttUrl,
    username,
    password,
    dashboardFolder,
    ...(now ? { now } : {}),
  })
  return { app, audited }
}

export const signIn = (app: App, login: string, password = PASSWORD) =>
  app.inject({ method: 'POST', url: '/api/v1/session', payload: { login, password } })

/** @returns the Cookie header of a person who has just signed in. */
export async function cookieOf(app: App, login: string): Promise<string> {
  const reply = await signIn(app, login)
  const [cookie] = reply.cookies
  if (!cookie) throw new Error(`${login} was not let in: ${reply.body}`)
  return `${cookie.name}=${cookie.value}`
}
