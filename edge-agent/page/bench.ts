import { setTimeout as sleep } from 'node:timers/promises'
import { type Static, Type } from 'typebox'
import type { Stroke } from '#contract/commissioning.ts'
import { Fault } from '#contract/fault.ts'
import { openingOfLeaf } from '#contract/metrics.ts'
import { type DeviceProfile, SPACES, type Space } from '#contract/profile.ts'
import type { Reading } from '#contract/reading.ts'
import { LeafDrive, leafRegisters } from '../command/leaf-drive.ts'
import { candidatesOf, pointLine, rankNear } from '../commission/candidates.ts'
import { scanBus, type UnitFound } from '../commission/scan.ts'
import { obstacleTo, runStroke, stopLeaf } from '../commission/stroke.ts'
import type { Edge, OpenBus } from '../main.ts'
import { readDevice } from '../modbus/device.ts'
import type { DeviceSettings } from '../settings.ts'

/** What an engineer does at the gate with the running agent's own buses: every request waits in the agent's queue. */

const closed = { additionalProperties: false } as const
export const ScanOrder = Type.Object(
  { bus: Type.String(), from: Type.Integer({ minimum: 0, maximum: 255 }), to: Type.Integer({ minimum: 0, maximum: 255 }) },
  closed,
)
export const ProbeOrder = Type.Object(
  {
    bus: Type.String(),
    unit: Type.Integer({ minimum: 0, maximum: 255 }),
    space: Type.Unsafe<Space>(Type.Enum([...SPACES])),
    address: Type.Integer({ minimum: 0, maximum: 65_535 }),
    words: Type.Integer({ minimum: 1, maximum: 32 }),
    near: Type.Number(),
  },
  closed,
)
export const LeafOrder = Type.Object({ structure: Type.String(), leaf: Type.Integer({ minimum: 1, maximum: 99 }) }, closed)
export const StrokeOrder = Type.Object({ ...LeafOrder.properties, to_m: Type.Number({ minimum: 0, maximum: 20 }) }, closed)

/** The agent's polls go on between two units, so a scan from the page is short. */
const MOST_UNITS = 16
const MOST_MATCHES = 6

type Running = { readonly structure: string; readonly leaf: number; readonly ending: AbortController; opening_m: number | null }
export type Leaf = { readonly structure: string; readonly leaf: number; readonly can_move: boolean }

export class Bench {
  readonly #edge: Pick<Edge, 'buses'>
  readonly #profiles: ReadonlyMap<string, DeviceProfile>
  readonly #drives = new Map<string, LeafDrive>()
  #running: Running | null = null
  /** Since the start, for the record. */
  readonly #strokes: { structure: string; stroke: Stroke }[] = []

  constructor(edge: Pick<Edge, 'buses'>, profiles: ReadonlyMap<string, DeviceProfile>) {
    this.#edge = edge
    this.#profiles = profiles
  }

  leaves(): Leaf[] {
    return this.#edge.buses.flatMap(({ settings }) =>
      settings.devices.flatMap((d) =>
        Array.from({ length: d.leaves }, (_, i) => ({ structure: d.structure, leaf: i + 1, can_move: this.#registers(d, i) !== null })),
      ),
    )
  }

  profileOf(structure: string): string {
    return this.#edge.buses.flatMap((b) => b.settings.devices.filter((d) => d.structure === structure).map((d) => d.profile)).join(', ')
  }

  async scan({ bus, from, to }: Static<typeof ScanOrder>): Promise<readonly UnitFound[]> {
    if (to < from || to - from >= MOST_UNITS)
      throw new Fault('BAD_REQUEST', `units ${from} to ${to}`, `ask at most ${MOST_UNITS} units at once`)
    const units = Array.from({ length: to - from + 1 }, (_, i) => from + i)
    const quiet = { signal: new AbortController().signal, progress: () => undefined, found: () => undefined }
    return (await scanBus(this.#bus(bus).bus, { units, profiles: this.#profiles, ...quiet })).found
  }

  /** Every type and word order against what the staff gauge shows. */
  async probe({ bus, unit, space, address, words, near }: Static<typeof ProbeOrder>) {
    const reply = await this.#bus(bus).bus.read({ unit, space, address, words })
    if (reply.kind === 'bad') return { failed: reply.reason }
    const matches = rankNear(candidatesOf(reply.words, address, space), near, Math.max(0.02, Math.abs(near) * 0.02))
    return { words: reply.words, matches: matches.slice(0, MOST_MATCHES).map((m) => ({ ...m, line: pointLine({ ...m, space }) })) }
  }

  get stroke(): { running: Omit<Running, 'ending'> | null; done: readonly { structure: string; stroke: Stroke }[] } {
    const r = this.#running
    return { running: r && { structure: r.structure, leaf: r.leaf, opening_m: r.opening_m }, done: this.#strokes }
  }

  strokesOf(structure: string): Stroke[] {
    return this.#strokes.filter((s) => s.structure === structure).map((s) => s.stroke)
  }

  /** Returns when the leaf has been told to go, or why it may not be. */
  async startStroke({ structure, leaf, to_m }: Static<typeof StrokeOrder>): Promise<void> {
    if (this.#running)
      throw new Fault('CONFLICT', `leaf ${this.#running.leaf} of ${this.#running.structure} is on its way`, 'stop it, or wait for its end')
    const { drive, read, limits } = this.#leaf(structure, leaf)
    const metric = openingOfLeaf(leaf)
    if (limits && (to_m < limits.lowest_opening_m || to_m > limits.highest_opening_m)) {
      throw new Fault(
        'NOT_ALLOWED',
        `${to_m} m is beyond the limits of the site file, ${limits.lowest_opening_m} to ${limits.highest_opening_m} m`,
        'choose an opening between them',
      )
    }
    const running: Running = { structure, leaf, ending: new AbortController(), opening_m: null }
    this.#running = running
    try {
      const obstacle = obstacleTo(await read(), metric)
      if (obstacle) throw new Fault('NOT_ALLOWED', obstacle, 'the hand switch must be on remote, nothing moving and no fault reported')
    } catch (error) {
      this.#running = null
      throw error
    }
    const progress = (opening: number): void => {
      running.opening_m = opening
    }
    const plan = { leaf, to_m, signal: running.ending.signal, progress }
    const deps = { drive, read, metric, now: Date.now, elapsed: () => performance.now(), pause: (ms: number) => sleep(ms) }
    void runStroke(deps, plan)
      .then((stroke) => void this.#strokes.push({ structure, stroke }))
      .finally(() => {
        this.#running = null
      })
  }

  /** Whatever is going on. @returns whether the device took it. */
  async stop({ structure, leaf }: Static<typeof LeafOrder>): Promise<boolean> {
    this.#running?.ending.abort()
    return await stopLeaf(this.#leaf(structure, leaf).drive)
  }

  close(): void {
    this.#running?.ending.abort()
  }

  #bus(name: string): OpenBus {
    const found = this.#edge.buses.find((b) => b.settings.name === name)
    if (!found) throw new Fault('NOT_FOUND', `there is no bus ${name}`, 'name one of the site file')
    return found
  }

  #registers(device: DeviceSettings, leaf: number) {
    const profile = this.#profiles.get(device.profile)
    return profile ? leafRegisters(profile, device.unit, leaf) : null
  }

  #leaf(structure: string, leaf: number) {
    for (const { bus, settings, devices } of this.#edge.buses) {
      for (const device of settings.devices) {
        const registers = device.structure === structure && leaf <= device.leaves ? this.#registers(device, leaf - 1) : null
        const own = devices.filter((d) => d.structure === structure)
        if (!registers || own.length === 0) continue
        const key = `${structure} ${leaf}`
        const drive = this.#drives.get(key) ?? new LeafDrive(bus, registers)
        this.#drives.set(key, drive)
        const read = async (): Promise<ReadonlyMap<string, Reading>> => {
          const all: (readonly [string, Reading])[] = []
          for (const d of own) all.push(...(await readDevice(d, (request) => bus.read(request))))
          return new Map(all)
        }
        return { drive, read, limits: device.control?.limits }
      }
    }
    throw new Fault('NOT_FOUND', `${structure} has no leaf ${leaf} that its profile can move`, 'look at the site file')
  }
}
