import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { systemCode } from '#contract/fault.ts'

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string }

/**
 * Posts to one server over connections that stay open. `fetch` takes four times the processor's time for it, which a chart of many small
 * questions feels. What is posted must bear to be posted twice.
 */
export class HttpPost {
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #agent: HttpAgent | HttpsAgent
  readonly #request: typeof httpRequest
  #isClosed = false

  constructor(base: string, headers: Readonly<Record<string, string>>) {
    const isTls = base.startsWith('https:')
    this.#base = base
    this.#headers = headers
    this.#agent = isTls ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
    this.#request = isTls ? httpsRequest : httpRequest
  }

  /** @throws Error that says why there is no answer. */
  async post(path: string, body: { readonly type: string; readonly text: string; readonly timeoutMs: number }): Promise<Answer> {
    try {
      return await this.#once(path, body)
    } catch (error) {
      // The server had closed the connection just when it was used again.
      if (error instanceof WornConnection && !this.#isClosed) return await this.#once(path, body)
      throw error instanceof WornConnection ? error.cause : error
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.#isClosed = true
    this.#agent.destroy()
  }

  #once(path: string, { type, text, timeoutMs }: { type: string; text: string; timeoutMs: number }): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(new Error('closed'))
    return new Promise((resolve, reject) => {
      const bytes = Buffer.from(text)
      const headers = { ...this.#headers, 'content-type': type, 'content-length': bytes.length }
      const sent = this.#request(this.#base + path, { method: 'POST', agent: this.#agent, headers })
      const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
      const fail = (error: Error): void => {
        clearTimeout(timer)
        reject(sent.reusedSocket && systemCode(error) === 'ECONNRESET' ? new WornConnection(error.message, { cause: error }) : error)
      }
      sent.on('error', fail)
      sent.on('response', (response) => {
        textOf(response).then((answer) => {
          clearTimeout(timer)
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: answer })
        }, fail)
      })
      sent.end(bytes)
    })
  }
}

class WornConnection extends Error {}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
