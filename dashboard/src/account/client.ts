import type {
  Account,
  ChangePerson,
  FirstPassword,
  MadeToken,
  NewPerson,
  NewToken,
  PersonList,
  PersonView,
  ProposedFactor,
  RecoveryCodes,
  SessionView,
  TokenView,
} from '#contract/http/access.ts'

type Items<T> = { readonly items: T[] }
type Asking = {
  readonly read: <T>(path: string, init?: RequestInit) => Promise<T>
  /** For what answers with nothing. */
  readonly send: (path: string, init: RequestInit) => Promise<unknown>
}

/** Sessions and tokens of oneself, or of a person for an administrator. */
export type HeldClient = {
  sessions(): Promise<SessionView[]>
  endSession(id: string): Promise<unknown>
  tokens(): Promise<TokenView[]>
  endToken(id: string): Promise<unknown>
}
/** The server's `/api/v1/account` as functions. Each @throws RequestFailure */
export type AccountClient = HeldClient & {
  read(): Promise<Account>
  changePassword(change: { current: string; next: string }): Promise<unknown>
  proposeFactor(password: string): Promise<ProposedFactor>
  confirmFactor(code: string): Promise<RecoveryCodes>
  makeToken(token: NewToken): Promise<MadeToken>
}
/** The server's `/api/v1/people` as functions, for administrators. Each @throws RequestFailure */
export type PeopleClient = {
  list(): Promise<PersonView[]>
  add(person: NewPerson): Promise<FirstPassword>
  change(id: string, change: ChangePerson): Promise<PersonView>
  resetPassword(id: string): Promise<FirstPassword>
  resetFactor(id: string): Promise<unknown>
  heldBy(id: string): HeldClient
}

const MOST = 1000
const withBody = (method: 'POST' | 'PUT' | 'PATCH', body: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
const DELETE: RequestInit = { method: 'DELETE' }

function heldClient({ read, send }: Asking, base: string): HeldClient {
  return {
    sessions: async () => (await read<Items<SessionView>>(`${base}/sessions`)).items,
    endSession: (id) => send(`${base}/sessions/${encodeURIComponent(id)}`, DELETE),
    tokens: async () => (await read<Items<TokenView>>(`${base}/tokens`)).items,
    endToken: (id) => send(`${base}/tokens/${encodeURIComponent(id)}`, DELETE),
  }
}

export function accountClient(asking: Asking): AccountClient {
  const { read, send } = asking
  return {
    ...heldClient(asking, '/account'),
    read: () => read('/account'),
    changePassword: (change) => send('/account/password', withBody('PUT', change)),
    proposeFactor: (password) => read('/account/second-factor', withBody('POST', { password })),
    confirmFactor: (code) => read('/account/second-factor/confirm', withBody('POST', { code })),
    makeToken: (token) => read('/account/tokens', withBody('POST', token)),
  }
}

export function peopleClient(asking: Asking): PeopleClient {
  const { read, send } = asking
  const path = (id: string): string => `/people/${encodeURIComponent(id)}`
  return {
    list: async () => (await read<PersonList>(`/people?limit=${MOST}`)).items,
    add: (person) => read('/people', withBody('POST', person)),
    change: (id, change) => read(path(id), withBody('PATCH', change)),
    resetPassword: (id) => read(`${path(id)}/password`, { method: 'POST' }),
    resetFactor: (id) => send(`${path(id)}/second-factor`, DELETE),
    heldBy: (id) => heldClient(asking, path(id)),
  }
}
