/** A signed-in client of the API. */
export type Client = {
  readonly cookie: string
  get<T>(path: string): Promise<T>
  post(path: string, body: unknown): Promise<Response>
}

export async function openClient(address: string, who: { login: string; password: string }): Promise<Client> {
  const signedIn = await fetch(`${address}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(who),
  })
  if (!signedIn.ok) throw new Error(`sign-in: ${signedIn.status} ${await signedIn.text()}`)
  const cookie = signedIn.headers
    .getSetCookie()
    .map((c) => c.split(';')[0])
    .join('; ')
  return {
    cookie,
    get: async <T>(path: string): Promise<T> => {
      const reply = await fetch(address + path, { headers: { cookie } })
      if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
      return (await reply.json()) as T
    },
    post: (path, body) =>
      fetch(address + path, { method: 'POST', headers: { cookie, 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }
}
