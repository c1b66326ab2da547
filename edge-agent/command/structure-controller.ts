import type { Logger } from 'pino'
import { type Command, type CommandReport, type ControlStatus, encodeReport, encodeStatus, type Refusal } from '#contract/command.ts'
import { messageOf } from '#contract/fault.ts'
import { LeafDrive, type LeafRegisters } from './leaf-drive.ts'
import { step } from './machine.ts'
import { type Effect, type Event, type Machine, openMachine, type World } from './machine-state.ts'
import type { KeptStore } from './store.ts'
import { reportOf, type StructureSettings, statusOf } from './turn.ts'

export type ControllerDeps = {
  readonly settings: StructureSettings
  readonly store: KeptStore
  readonly drives: readonly LeafDrive[]
  readonly world: () => World
  /** Reads the structure. What was read is judged at once; the disk takes it in its own time. */
  readonly readNow: () => Promise<void>
  readonly tell: (what: { readonly about: 'state' | 'control'; readonly content: Uint8Array }) => void
  readonly log: Logger
}

export const drivesOf = (bus: ConstructorParameters<typeof LeafDrive>[0], registers: readonly LeafRegisters[]): LeafDrive[] =>
  registers.map((r) => new LeafDrive(bus, r))

/** Carries out what the machine of one structure decides, one event after the other; a stop waits behind none. */
export class StructureController {
  readonly #deps: ControllerDeps
  readonly #events: Event[] = []
  #machine: Machine
  #last: CommandReport | null
  #working: Promise<void> | null = null
  #watching: NodeJS.Timeout | undefined
  #ended = false

  constructor(deps: ControllerDeps) {
    this.#deps = deps
    this.#machine = openMachine(deps.store.kept)
    this.#last = deps.store.kept.records.at(-1) ?? null
  }

  /** An automatic mode has the gate. */
  get isAutomatic(): boolean {
    return this.#machine.kept.mode.kind !== 'manual'
  }

  /** For the births: the newest report and the status. */
  get newest(): { readonly report: CommandReport | null; readonly status: ControlStatus } {
    return { report: this.#last, status: statusOf(this.#turn()) }
  }

  command(command: Command): void {
    this.#offer({ kind: 'command', command }, command.action.kind === 'stop' ? 'first' : 'in turn')
  }

  /** What could not even be judged: told, and nothing is kept of it. */
  refuse(told: { readonly id: string; readonly counter: number }, reason: Refusal): void {
    this.#deps.log.warn({ id: told.id, reason }, 'a command was refused')
    this.#report(reportOf(this.#turn(), told, { state: 'refused', reason }))
  }

  agreed(counter: number): void {
    this.#offer({ kind: 'agreed', counter }, 'in turn')
  }

  tick(): void {
    if (!this.#events.some((e) => e.kind === 'tick')) this.#offer({ kind: 'tick' }, 'in turn')
  }

  get isMoving(): boolean {
    const { active, halting, unfinished } = this.#machine
    return active !== null || halting !== null || unfinished.length > 0
  }

  async close(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#watching)
    await this.#working
  }

  #turn() {
    return { m: this.#machine, w: this.#deps.world(), settings: this.#deps.settings, effects: [] }
  }

  #offer(event: Event, place: 'first' | 'in turn'): void {
    if (this.#ended) return
    if (place === 'first') this.#events.unshift(event)
    else this.#events.push(event)
    this.#working ??= this.#work().finally(() => {
      this.#working = null
    })
  }

  async #work(): Promise<void> {
    for (let event = this.#events.shift(); event; event = this.#events.shift()) {
      const { machine, effects } = step(this.#machine, event, this.#deps.world(), this.#deps.settings)
      this.#machine = machine
      try {
        for (const effect of effects) await this.#carryOut(effect)
      } catch (error) {
        this.#deps.log.error({ error: messageOf(error) }, 'the state of control could not be kept; nothing is moved on it')
        this.#events.unshift({ kind: 'not_kept' })
      }
    }
    this.#watch()
  }

  async #carryOut(effect: Effect): Promise<void> {
    switch (effect.do) {
      case 'keep':
        await this.#deps.store.keep(this.#machine.kept)
        return
      case 'drive':
        void this.#drive(effect)
        return
      case 'halt':
        void this.#halt(effect)
        return
      case 'report':
        this.#report(effect.report)
        return
      case 'status':
        this.#deps.tell({ about: 'control', content: encodeStatus(effect.status) })
    }
  }

  #report(report: CommandReport): void {
    this.#last = report
    const { id, state } = report
    this.#deps.log.info({ id, state, ...('reason' in report && { reason: report.reason }) }, 'command')
    this.#deps.tell({ about: 'state', content: encodeReport(report) })
  }

  async #drive({ token, leaf, to_m, notAfter }: Extract<Effect, { do: 'drive' }>): Promise<void> {
    const isLate = (): boolean => notAfter !== null && this.#deps.world().now >= notAfter
    const stillWanted = (): boolean => this.#machine.active?.token === token && !isLate()
    const order = { order: 'go', setpoint_mm: Math.round(to_m * 1000) } as const
    const outcome = await this.#deps.drives[leaf]?.order(order, { first: false, stillWanted })
    if (outcome?.kind === 'written') this.#offer({ kind: 'written', token, outcome: 'done' }, 'in turn')
    else if (outcome?.kind === 'not_sent' && isLate()) this.#offer({ kind: 'written', token, outcome: 'too_late' }, 'in turn')
    else {
      this.#deps.log.warn({ leaf: leaf + 1, outcome }, 'the order did not reach the controller, or nobody knows')
      this.#offer({ kind: 'written', token, outcome: 'failed' }, 'in turn')
    }
  }

  async #halt({ token }: Extract<Effect, { do: 'halt' }>): Promise<void> {
    const stillWanted = (): boolean => this.#machine.halting?.token === token
    const outcomes = await Promise.all(
      this.#deps.drives.map((d) => d.order({ order: 'stop', setpoint_mm: 0 }, { first: true, stillWanted })),
    )
    const written = outcomes.every((o) => o.kind === 'written')
    if (!written) this.#deps.log.warn({ outcomes }, 'a stop did not reach every leaf; trying again')
    this.#offer({ kind: 'written', token, outcome: written ? 'done' : 'failed' }, 'in turn')
  }

  /** While something moves, or may, the encoders are read faster than the grid. */
  #watch(): void {
    if (this.#ended || this.#watching || !this.isMoving) return
    this.#watching = setTimeout(() => {
      void this.#deps.readNow().finally(() => {
        this.#watching = undefined
        this.tick()
      })
    }, this.#deps.settings.control.watch_ms)
  }
}
