import fc from 'fast-check'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import type { ConfigNews } from '#contract/site-config.ts'
import type { CheckResult } from '../commission/check.ts'
import { loadProfiles } from '../load-profiles.ts'
import { EdgeSettings } from '../settings.ts'
import type { CenterLink } from './center-link.ts'
import { checkOffer } from './check-offer.ts'
import { SiteAgent } from './site-agent.ts'
import { COMMAND_KEY, newsIn, SITE_KEY, signedOrder } from './testing.ts'
import { type KeptConfig, NOTHING_KEPT } from './trial.ts'

const log = pino({ level: 'silent' })
let profiles: ReadonlyMap<string, DeviceProfile>
beforeAll(async () => {
  profiles = await loadProfiles('edge-agent/profiles')
})
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})
afterAll(() => {
  vi.restoreAllMocks()
})

const partOf = (interval_ms: number): string => `poll: { interval_ms: ${interval_ms} }
buses:
  - name: b
    host: 127.0.0.1
    port: 9
    devices: [{ structure: yc-zh-03, unit: 1, profile: cyk-ludp }]
`
const ownText = (interval_ms: number): string => `site: yc-s012
area: yichang
broker: { url: mqtt://127.0.0.1:1, password: secret }
outbox: { path: /nowhere }
control: { command_keys: [${COMMAND_KEY}], site_key: ${SITE_KEY}, state: /nowhere }
${partOf(interval_ms)}`
/** What a version is like, by its poll interval. */
const KINDS = { good: 10_000, cuts: 20_000, dies: 30_000, invalid: 1 } as const
type Kind = keyof typeof KINDS
const TRIAL_S = 60

/** Each text once: reading one takes tens of milliseconds. */
function onceEach<T>(make: (text: string) => T): (text: string) => T {
  const made = new Map<string, T>()
  return (text) => {
    const known = made.get(text) ?? make(text)
    made.set(text, known)
    return known
  }
}
const settingsOf = onceEach((text) => parseConfig(EdgeSettings, { file: 'site.yaml', text }))
const checkOf = onceEach((text) => checkOffer(settingsOf(ownText(5000)), { file: 'FILE', text, profiles }))
const checked = (own: EdgeSettings, file: string, text: string): CheckResult => {
  const result = checkOf(text)
  return result.kind === 'refused'
    ? { ...result, errors: result.errors.map((e) => e.replace('FILE', file)) }
    : { ...result, settings: { ...result.settings, site: own.site } }
}

/** A site over any number of processes: its disk, its file, and what has been open. */
class World {
  disk: KeptConfig = NOTHING_KEPT
  own = 5000
  agent: SiteAgent<{ isMoving(): boolean; close(): Promise<void> }> | null = null
  /** Of this process. */
  open: { interval: number; link: CenterLink } | null = null
  news: ConfigNews[] = []
  moving = false
  /** Writes until the process is killed, and whether that is just before or just after. */
  kill: { after: number; written: boolean } | null = null
  dead = false
  readonly everContact = new Set<number>()
  readonly ran: number[] = []

  async start(): Promise<void> {
    this.dead = false
    this.open = null
    const text = ownText(this.own)
    const settings = settingsOf(text)
    const life = {}
    this.#life = life
    const dying = this.#deadOf(life)
    const opening = SiteAgent.open(
      { settings, text },
      {
        check: ({ file, text: asked }) => checked(settings, file, asked),
        now: () => 1_790_000_000_000,
        log,
        store: { kept: this.disk, keep: (kept) => this.#keep(kept, life) },
        onFatal: (error) => {
          throw error
        },
        open: async (s, link) => {
          if (this.#life !== life) return await new Promise<never>(() => undefined)
          expect(this.open, 'one run at a time').toBeNull()
          if (!link) throw new Error('a site with keys has a link')
          const interval = s.poll.interval_ms
          if (interval === KINDS.dies) throw new Error('the port is taken')
          this.open = { interval, link }
          if (link.running.version !== null) this.ran.push(link.running.version)
          link.online(async (metrics) => {
            const news = newsIn(metrics)
            if (news) this.news.push(news)
          })
          return {
            isMoving: () => this.moving,
            close: async () => {
              if (this.#life === life) this.open = null
            },
          }
        },
      },
    )
    const agent = await Promise.race([opening, dying])
    if (agent) this.agent = agent
    else await this.start()
  }
  #life: object = {}
  #die: () => void = () => undefined
  #deadOf(life: object): Promise<null> {
    return new Promise((resolve) => {
      this.#die = () => {
        if (this.#life === life) {
          this.dead = true
          this.#life = {}
          resolve(null)
        }
      }
    })
  }
  async #keep(kept: KeptConfig, life: object): Promise<void> {
    if (this.#life !== life) return await new Promise(() => undefined)
    const { kill } = this
    if (kill && kill.after-- <= 0) {
      this.kill = null
      if (kill.written) this.#write(kept)
      this.#die()
      return await new Promise(() => undefined)
    }
    this.#write(kept)
  }
  #write(kept: KeptConfig): void {
    expect(kept.seen, 'no version is forgotten').toBeGreaterThanOrEqual(this.disk.seen)
    this.disk = JSON.parse(JSON.stringify(kept)) as KeptConfig
  }
  killNow(): void {
    this.#die()
    vi.clearAllTimers()
  }
  async settled(): Promise<void> {
    for (let i = 0; i < 50; i++) await Promise.resolve()
    if (this.dead) {
      vi.clearAllTimers()
      await this.start()
      await this.settled()
    }
  }
  offer(version: number, kind: Kind, basis: string | null = null): void {
    const order = {
      v: 1,
      kind: 'offer',
      area: 'yichang',
      site: 'yc-s012',
      version,
      basis,
      trial_s: TRIAL_S,
      text: partOf(KINDS[kind]),
    } as const
    this.open?.link.ordered(signedOrder(order))
  }
  /** The center's answer reaches the agent, unless this configuration cuts it off. */
  answer(): void {
    if (!this.open || this.open.interval === KINDS.cuts) return
    const { version } = this.open.link.running
    if (version !== null) this.everContact.add(version)
    this.open.link.contact()
  }
}

const started = async (): Promise<World> => {
  const world = new World()
  await world.start()
  return world
}
const reports = (world: World) => world.news.map((n) => (n.kind === 'report' ? `${n.version} ${n.state}` : 'text'))

test('a sound configuration is taken on trial, and is in force when the center has been heard with it', async () => {
  const world = await started()
  world.offer(1, 'good')
  await world.settled()
  expect(world.open?.interval).toBe(10_000)
  expect(world.disk.in_force).toBeNull()
  world.answer()
  await world.settled()
  expect(world.disk).toMatchObject({ in_force: { version: 1 }, trial: null })
  await vi.advanceTimersByTimeAsync(10 * TRIAL_S * 1000)
  await world.settled()
  expect(world.open?.link.running.version).toBe(1)
  expect(reports(world)).toEqual(['1 trial', '1 in_force'])
})

test('one that cuts the agent off is gone back on by itself, and told', async () => {
  const world = await started()
  world.offer(1, 'cuts')
  await world.settled()
  world.answer()
  await vi.advanceTimersByTimeAsync(TRIAL_S * 1000 + 1)
  await world.settled()
  expect(world.open?.interval).toBe(5000)
  expect(reports(world)).toEqual(['1 trial', '1 rolled_back'])
  world.offer(1, 'cuts')
  await world.settled()
  expect(world.open?.interval).toBe(5000)
  expect(reports(world).at(-1)).toBe('1 rolled_back')
})

test('a mistake is refused with its line and column, and nothing changes', async () => {
  const world = await started()
  world.offer(1, 'invalid')
  await world.settled()
  expect(world.open?.interval).toBe(5000)
  expect(world.news).toMatchObject([{ state: 'refused', reason: expect.stringMatching(/^version-1\.yaml:1:9: poll\.interval_ms: /) }])
})

test('while a leaf moves nothing is taken over; the center sends it again', async () => {
  const world = await started()
  world.moving = true
  world.offer(1, 'good')
  await world.settled()
  expect(world.disk).toEqual(NOTHING_KEPT)
  world.moving = false
  world.offer(1, 'good')
  await world.settled()
  expect(world.open?.interval).toBe(10_000)
})

test('an edit that began from another configuration than the one that runs is refused', async () => {
  const world = await started()
  world.offer(1, 'good', '0123456789abcdef')
  await world.settled()
  expect(world.news).toMatchObject([{ state: 'refused', reason: expect.stringContaining('read it first') }])
  world.offer(2, 'good', world.open?.link.running.hash)
  await world.settled()
  expect(reports(world).at(-1)).toBe('2 trial')
})

test('the text that runs is told without what is the site’s own', async () => {
  const world = await started()
  world.open?.link.ordered(signedOrder({ v: 1, kind: 'read', area: 'yichang', site: 'yc-s012' }))
  await world.settled()
  const [news] = world.news
  expect(news).toMatchObject({ kind: 'text', running: { version: null } })
  expect(JSON.stringify(news)).not.toMatch(/secret|command_keys|nowhere/)
  expect(news).toMatchObject({ text: expect.stringContaining('interval_ms: 5000') })
})

test('who edits the file at the site has the last word', async () => {
  const world = await started()
  world.offer(1, 'good')
  await world.settled()
  world.answer()
  await world.settled()
  world.own = 7000
  world.killNow()
  await world.settled()
  expect(world.open?.interval).toBe(7000)
  expect(reports(world).at(-1)).toBe('1 set_aside')
})

type Step =
  | { do: 'offer'; kind: Kind; again: boolean }
  | { do: 'answer' }
  | { do: 'time' }
  | { do: 'kill' }
  | { do: 'edit' }
  | { do: 'kill at a write'; after: number; written: boolean }
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('offer' as const),
      kind: fc.constantFrom<Kind>('good', 'good', 'cuts', 'dies', 'invalid'),
      again: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: 'answer' }, { do: 'time' }, { do: 'kill' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'edit' }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('kill at a write' as const), after: fc.nat(2), written: fc.boolean() }) },
)

test('whatever is offered and whenever the agent is killed: what runs is the site’s own file, or a version that is on trial or was heard of', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const world = await started()
      let version = 0
      const ended = new Set<number>()
      const look = (): void => {
        const { trial, in_force, report } = world.disk
        const running = world.open?.link.running.version ?? null
        expect([null, trial?.version.version, in_force?.version]).toContain(running)
        if (in_force) expect(world.everContact).toContain(in_force.version)
        if (running !== null) expect(ended, 'what was given up does not come back').not.toContain(running)
        if (report && ['refused', 'rolled_back', 'set_aside'].includes(report.state)) ended.add(report.version)
      }
      for (const s of steps) {
        if (s.do === 'offer') {
          if (!s.again || version === 0) version += 1
          world.offer(version, s.kind)
        } else if (s.do === 'answer') world.answer()
        else if (s.do === 'time') await vi.advanceTimersByTimeAsync(TRIAL_S * 1000 + 1)
        else if (s.do === 'kill') world.killNow()
        else if (s.do === 'edit') world.own += 1000
        else world.kill = { after: s.after, written: s.written }
        await world.settled()
        look()
      }
      // Left alone every trial ends.
      world.kill = null
      await vi.advanceTimersByTimeAsync(3 * TRIAL_S * 1000)
      await world.settled()
      expect(world.disk.trial).toBeNull()
      const { in_force } = world.disk
      expect(world.open?.link.running.version ?? null).toBe(in_force?.version ?? null)
      vi.clearAllTimers()
    }),
    { numRuns: 120 },
  )
})
