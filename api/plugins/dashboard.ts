import { sep } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../app.ts'

const ASSETS = '/assets/'
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** Serves the built dashboard. Files under assets/ have their hash in the name and never change; the page itself is asked for each time. */
export async function registerDashboard(app: App, folder: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: folder,
    dotfiles: 'ignore',
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      reply.header('cache-control', path.startsWith(`${folder}${sep}assets${sep}`) ? IMMUTABLE : 'no-cache')
    },
  })
}

/** Addresses inside the page (/gates/yc-zh-03) are the page's own: it is sent for them. A missing asset is missing, it is no page. */
export function isPageAddress({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): boolean {
  const path = url.split('?', 1)[0] ?? ''
  const reserved = path === '/api' || path.startsWith('/api/') || path.startsWith(ASSETS)
  return (method === 'GET' || method === 'HEAD') && !reserved
}

export const sendPage = (reply: FastifyReply): FastifyReply => reply.code(200).sendFile('index.html')
