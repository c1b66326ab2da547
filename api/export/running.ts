import { randomUUID } from 'node:crypto'
import { Fault } from '#contract/fault.ts'
import type { ExportProgress } from '#contract/http/export.ts'
import type { Tell } from './rows.ts'

type Running = ExportProgress & { readonly login: string; readonly stop: AbortController }

/** Exports under way at this node: how far they are, and how to end them. One that has ended is forgotten. */
export class RunningExports {
  readonly #running = new Map<string, Running>()

  /** @throws Fault CONFLICT where that id runs already, or too many of this person's do. */
  begin(login: string, id: string = randomUUID()): { tell: Tell; signal: AbortSignal; stop: AbortController; end: () => void } {
    if (this.#running.has(id)) throw new Fault('CONFLICT', `an export ${id} is running`, 'choose another id')
    if ([...this.#running.values()].filter((r) => r.login === login).length >= MOST_AT_ONCE)
      throw new Fault('CONFLICT', `${MOST_AT_ONCE} exports of ${login} are running`, 'wait for one to end, or cancel it')
    const stop = new AbortController()
    this.#running.set(id, { id, login, rows: 0, share: 0, stop })
    return {
      signal: stop.signal,
      stop,
      tell: (progress) => this.#running.set(id, { id, login, stop, ...progress }),
      end: () => {
        stop.abort()
        this.#running.delete(id)
      },
    }
  }

  /** Of this person's. */
  of(login: string): ExportProgress[] {
    return [...this.#running.values()].filter((r) => r.login === login).map(({ id, rows, share }) => ({ id, rows, share }))
  }

  /** @throws Fault NOT_FOUND */
  one(login: string, id: string): Running {
    const found = this.#running.get(id)
    if (found?.login !== login) throw new Fault('NOT_FOUND', `no export ${id} is running`, 'GET /api/v1/exports lists yours')
    return found
  }
}

const MOST_AT_ONCE = 3
