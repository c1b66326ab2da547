import { expect, test } from 'vitest'
import { openClient, RequestFailure } from './client.ts'

type Answer = { status: number; body: string; type?: string }
function clientOf(answer: (url: string) => Answer) {
  const asked: string[] = []
  let signedOut = 0
  const client = openClient({
    fetch: async (url) => {
      asked.push(String(url))
      const { status, body, type = 'application/json' } = answer(String(url))
      return new Response(body, { status, headers: { 'content-type': type } })
    },
    onSignedOut: () => signedOut++,
  })
  return { client, asked, signedOut: () => signedOut }
}
const problem = (status: number, code: string): Answer => ({
  status,
  body: JSON.stringify({ type: 'about:blank', title: '', status, code, detail: `detail of ${code}`, next: '' }),
  type: 'application/problem+json',
})

test('a list of more than one page is read to its end', async () => {
  const { client, asked } = clientOf((url) => {
    const offset = Number(new URL(url, 'http://host').searchParams.get('offset'))
    const items = Array.from({ length: Math.min(1000, 1200 - offset) }, (_, i) => ({ id: `g${offset + i}` }))
    return { status: 200, body: JSON.stringify({ items, total: 1200, limit: 1000, offset }) }
  })
  expect(await client.gates()).toHaveLength(1200)
  expect(asked).toHaveLength(2)
})

test('a list that shrinks while it is read does not keep the page reading', async () => {
  const { client } = clientOf((url) => ({ status: 200, body: JSON.stringify({ items: url.includes('offset=0') ? [{}] : [], total: 9 }) }))
  expect(await client.areas()).toHaveLength(1)
})

test('a session that the server no longer knows is told; a wrong password is not taken for one', async () => {
  const expired = clientOf(() => problem(401, 'NOT_SIGNED_IN'))
  await expect(expired.client.areas()).rejects.toMatchObject({ status: 401 })
  expect(expired.signedOut()).toBe(1)
  const refused = clientOf(() => problem(401, 'SIGN_IN_REFUSED'))
  await expect(refused.client.signIn({ login: 'a', password: 'b' })).rejects.toMatchObject({ problem: { code: 'SIGN_IN_REFUSED' } })
  expect(refused.signedOut()).toBe(0)
})

test('a failure says what the server said, or that it did not answer', async () => {
  const { client } = clientOf(() => problem(503, 'HISTORY_UNREACHABLE'))
  await expect(client.areas()).rejects.toThrow('detail of HISTORY_UNREACHABLE')
  const proxy = clientOf(() => ({ status: 502, body: '<html>', type: 'text/html' }))
  await expect(proxy.client.areas()).rejects.toThrow('the server answered 502')
  const cut = openClient({ fetch: () => Promise.reject(new TypeError('network')), onSignedOut: () => undefined })
  await expect(cut.areas()).rejects.toBeInstanceOf(RequestFailure)
})

test('a gate’s id can’t lead to another address', async () => {
  const { client, asked } = clientOf(() => ({ status: 200, body: '{"bucket_ms":0,"t":[]}' }))
  await client.history('../session?x', { metrics: ['flow', 'level_up'], from: 1.4, to: 2.6, points: 10 })
  expect(asked).toEqual(['/api/v1/gates/..%2Fsession%3Fx/history?metrics=flow%2Clevel_up&from=1&to=3&points=10'])
})
