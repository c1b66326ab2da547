import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { HttpPost } from './http-post.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

type Asked = { readonly body: string; readonly hangUp: () => void; readonly answer: (text: string) => void }

/** A server that leaves each answer to `answer`, told how many requests came before. */
async function serve(answer: (asked: Asked, before: number) => void): Promise<{ posts: HttpPost; asked: string[] }> {
  const asked: string[] = []
  const server: Server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      asked.push(body)
      answer({ body, hangUp: () => res.destroy(), answer: (text) => res.end(text) }, asked.length - 1)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const posts = new HttpPost(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {})
  closers.push(
    () => server.closeAllConnections(),
    () => server.close(),
    () => posts.close(),
  )
  return { posts, asked }
}
const text = (body: string) => ({ type: 'text/plain', text: body, timeoutMs: 10_000 })

test('a server that hangs up on a connection it had kept open is asked once more over a new one', async () => {
  const { posts, asked } = await serve(({ body, hangUp, answer }, before) => (before === 1 ? hangUp() : answer(`${body} 站`)))
  expect((await posts.post('/', text('一'))).text).toBe('一 站')
  expect((await posts.post('/', text('二'))).text).toBe('二 站')
  expect(asked).toEqual(['一', '二', '二'])
})

test('a server that hangs up on a new connection is told of, not asked again', async () => {
  const { posts, asked } = await serve(({ hangUp }) => hangUp())
  await expect(posts.post('/', text('a'))).rejects.toThrow(/hang up|ECONNRESET/)
  expect(asked).toEqual(['a'])
})

test('a server that does not answer is left after the time given, and all of them at the end', async () => {
  const { posts } = await serve(() => undefined)
  await expect(posts.post('/', { ...text('a'), timeoutMs: 50 })).rejects.toThrow('no answer within 0.05 s')
  const waiting = posts.post('/', text('b'))
  posts.close()
  await expect(waiting).rejects.toThrow()
  await expect(posts.post('/', text('c'))).rejects.toThrow('closed')
})
