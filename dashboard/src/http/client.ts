import type { Static } from 'typebox'
import type { CommandAction } from '#contract/command.ts'
import type { Area, Canal } from '#contract/district.ts'
import type { CommandView, GateControl, LockoutView, Selected } from '#contract/http/command.ts'
import type { MapSettingsReply } from '#contract/http/map.ts'
import type { NewSavedView, SavedView, SavedViewList } from '#contract/http/saved-view.ts'
import type { SiteList } from '#contract/http/site.ts'
import type { Situation } from '#contract/http/situation.ts'
import type { CompareReply, VolumeReply } from '#contract/http/volume.ts'
import type {
  AreaList,
  CanalList,
  DeadLetterList,
  DeadLetterSource,
  Gate,
  GateList,
  HistoryReply,
  Problem,
  SessionInfo,
} from '#contract/http.ts'
import type { PeriodStep } from '#contract/periods.ts'
import { type AccountClient, accountClient, type PeopleClient, peopleClient } from '../account/client.ts'
import { type AlarmClient, alarmClient } from '../alarm/client.ts'
import { type AuditClient, auditClient } from '../audit/client.ts'
import { type NotificationClient, notificationClient } from '../notification/client.ts'
import { type OrderClient, orderClient } from '../order/client.ts'
import { type PastClient, pastClient } from '../past/client.ts'
import { type PlanClient, planClient } from '../plan/client.ts'
import { type ReportClient, reportClient } from '../report/client.ts'
import { type ReviewClient, reviewClient } from '../review/client.ts'
import { type ShiftClient, shiftClient } from '../shift/client.ts'
import { type SiteConfigClient, siteConfigClient } from '../site/config-client.ts'
import { type BalanceClient, balanceClient } from '../volume/balance-client.ts'

/** A request that did not succeed. `problem` is null when the server did not answer, or not as ours does. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure'
  readonly status: number
  readonly problem: Problem | null
  constructor(status: number, problem: Problem | null, options?: { cause?: unknown }) {
    super(problem?.detail ?? (status === 0 ? 'the server does not answer' : `the server answered ${status}`), options)
    this.status = status
    this.problem = problem
  }
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'

export type ClientDeps = {
  readonly fetch: typeof globalThis.fetch
  /** The server no longer knows the session. */
  readonly onSignedOut: () => void
  /** @returns why this request is not sent, or null: while the past is shown nothing of the present is changed. */
  readonly refusalOf?: (request: { readonly method: string; readonly path: string }) => string | null
}

type HistoryAsk = { readonly metrics: readonly string[]; readonly from: number; readonly to: number; readonly points: number }
type VolumeAsk = { readonly from: number; readonly to: number; readonly step: PeriodStep }
type Options = { readonly signal?: AbortSignal }

/** The server's `/api/v1` as functions. Each @throws RequestFailure */
export type Client = {
  signIn(who: { login: string; password: string; code?: string }): Promise<SessionInfo>
  session(): Promise<SessionInfo>
  signOut(): Promise<void>
  areas(): Promise<Area[]>
  canals(): Promise<Canal[]>
  sites(): Promise<SiteList['items']>
  /** Totals of what the person may see. */
  situation(at?: number): Promise<Situation>
  alarms: AlarmClient
  notifications: NotificationClient
  shift: ShiftClient
  siteConfigs: SiteConfigClient
  account: AccountClient
  people: PeopleClient
  audit: AuditClient
  orders: OrderClient
  reports: ReportClient
  review: ReviewClient
  balance: BalanceClient
  plans: PlanClient
  past: PastClient
  gates(): Promise<Gate[]>
  /** What lies behind the map. */
  map(): Promise<MapSettingsReply>
  history(gate: string, ask: HistoryAsk, options?: Options): Promise<HistoryReply>
  savedViews(): Promise<SavedView[]>
  saveView(view: NewSavedView): Promise<SavedView>
  deleteView(id: string): Promise<void>
  /** Volumes by period; the first and the last are cut at `from` and `to`. */
  volume(gate: string, ask: VolumeAsk, options?: Options): Promise<VolumeReply>
  deadLetters(page: { limit: number; offset: number }): Promise<DeadLetterList>
  /** Asks ingest to take what one source has sent to history again. */
  replayDeadLetters(source: DeadLetterSource): Promise<void>
  /** By period, as `volume`, of any metric. */
  compare(gates: readonly string[], ask: VolumeAsk & { readonly metric: string }, options?: Options): Promise<CompareReply>
  /** The newest first. */
  commands(gate: string, limit: number): Promise<CommandView[]>
  control(gate: string): Promise<GateControl>
  selectCommand(gate: string, asked: { action: CommandAction; order?: string }): Promise<Selected>
  commandStep(id: string, step: 'confirm' | 'approve' | 'cancel'): Promise<CommandView>
  stopGate(gate: string): Promise<CommandView>
  tagOut(gate: string, tag: { reason: string; hours: number }): Promise<void>
  liftTag(id: string): Promise<void>
  /** In force, of the gates that the person may see. */
  tags(): Promise<LockoutView[]>
}

const PAGE = 1000

export function openClient(deps: ClientDeps): Client {
  const request = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const refusal = deps.refusalOf?.({ method: init.method ?? 'GET', path })
    if (refusal) throw new RequestFailure(0, refusedHere(refusal))
    const response = await deps.fetch(`/api/v1${path}`, { credentials: 'same-origin', ...init }).catch((cause: unknown) => {
      throw isAbort(cause) ? cause : new RequestFailure(0, null, { cause })
    })
    if (response.ok) return response
    const problem = await problemIn(response)
    if (response.status === 401 && problem?.code !== 'SIGN_IN_REFUSED' && problem?.code !== 'CODE_NEEDED') deps.onSignedOut()
    throw new RequestFailure(response.status, problem)
  }
  // The server checks every reply against the same schema before it sends it; page and server are released together.
  const read = async <T>(path: string, init?: RequestInit): Promise<T> => (await (await request(path, init)).json()) as T

  const all = async <T>(path: string): Promise<T[]> => {
    const items: T[] = []
    for (;;) {
      const page = await read<{ items: T[]; total: number }>(`${path}?limit=${PAGE}&offset=${items.length}`)
      items.push(...page.items)
      if (page.items.length === 0 || items.length >= page.total) return items
    }
  }

  return {
    signIn: (who) => read<SessionInfo>('/session', posted(who)),
    session: () => read<SessionInfo>('/session'),
    signOut: async () => void (await request('/session', { method: 'DELETE' })),
    areas: () => all<AreaList['items'][number]>('/areas'),
    canals: () => all<Static<typeof CanalList>['items'][number]>('/canals'),
    sites: () => all<SiteList['items'][number]>('/sites'),
    situation: (at) => read<Situation>(at === undefined ? '/situation' : `/situation?at=${at}`),
    alarms: alarmClient(read),
    notifications: notificationClient(read),
    shift: shiftClient(read),
    siteConfigs: siteConfigClient(read),
    account: accountClient({ read, send: request }),
    people: peopleClient({ read, send: request }),
    audit: auditClient(read),
    orders: orderClient(read),
    reports: reportClient(read),
    review: reviewClient(read),
    balance: balanceClient(read),
    map: () => read<MapSettingsReply>('/map'),
    plans: planClient({ read, send: request }),
    past: pastClient(read),
    gates: () => all<GateList['items'][number]>('/gates'),
    history: (gate, { metrics, from, to, points }, options = {}) => {
      const query = new URLSearchParams({
        metrics: metrics.join(','),
        from: String(Math.round(from)),
        to: String(Math.round(to)),
        points: String(points),
      })
      return read<HistoryReply>(`/gates/${encodeURIComponent(gate)}/history?${query}`, options)
    },
    savedViews: async () => (await read<SavedViewList>('/views')).items,
    saveView: (view) => read<SavedView>('/views', { ...posted(view), method: 'PUT' }),
    deleteView: async (id) => void (await request(`/views/${encodeURIComponent(id)}`, { method: 'DELETE' })),
    volume: (gate, { from, to, step }, options = {}) => {
      const query = new URLSearchParams({ from: String(from), to: String(to), step })
      return read<VolumeReply>(`/gates/${encodeURIComponent(gate)}/volume?${query}`, options)
    },
    deadLetters: ({ limit, offset }) => read<DeadLetterList>(`/dead-letters?limit=${limit}&offset=${offset}`),
    replayDeadLetters: async (source) => void (await request('/dead-letters/replay', posted(source))),
    compare: (gates, { metric, from, to, step }, options = {}) => {
      const query = new URLSearchParams({ gates: gates.join(), metric, from: String(from), to: String(to), step })
      return read<CompareReply>(`/gates/compare?${query}`, options)
    },
    commands: async (gate, limit) =>
      (await read<{ items: CommandView[] }>(`/commands?${new URLSearchParams({ gate, limit: String(limit) })}`)).items,
    control: (gate) => read<GateControl>(`/gates/${encodeURIComponent(gate)}/control`),
    selectCommand: (gate, asked) => read<Selected>(`/gates/${encodeURIComponent(gate)}/commands`, posted(asked)),
    commandStep: (id, step) => read<CommandView>(`/commands/${encodeURIComponent(id)}/${step}`, { method: 'POST' }),
    stopGate: (gate) => read<CommandView>(`/gates/${encodeURIComponent(gate)}/stop`, { method: 'POST' }),
    tagOut: async (gate, tag) => void (await request(`/gates/${encodeURIComponent(gate)}/lockouts`, posted(tag))),
    tags: () => all<LockoutView>('/lockouts'),
    liftTag: async (id) => void (await request(`/lockouts/${encodeURIComponent(id)}`, { method: 'DELETE' })),
  }
}

const refusedHere = (detail: string): Problem => ({ type: 'about:blank', title: detail, status: 0, code: 'IN_THE_PAST', detail, next: '' })

const posted = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

async function problemIn(response: Response): Promise<Problem | null> {
  if (!response.headers.get('content-type')?.includes('json')) return null
  try {
    const body: unknown = await response.json()
    return typeof body === 'object' && body !== null && 'code' in body && 'detail' in body ? (body as Problem) : null
  } catch {
    // Cut off on the way: the status alone has to do.
    return null
  }
}
