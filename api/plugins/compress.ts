import fastifyCompress from '@fastify/compress'
import type { App } from '../app.ts'

/** Compresses replies. Requests are taken as they are: nothing that we accept is long, and a small bomb unpacks to much. */
export async function registerCompress(app: App): Promise<void> {
  await app.register(fastifyCompress, { encodings: ['br', 'gzip'], globalDecompression: false })
}
