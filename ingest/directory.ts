import type { Logger } from 'pino'
import type { Site, Structure } from '#contract/district.ts'
import { messageOf } from '#contract/fault.ts'
import type { FlowMethod } from '#contract/flow-method.ts'
import type { VerdictRule } from '#contract/verdict-rule.ts'
import type { Registry } from '#registry/port.ts'

/** The gates and sites that the registry knows, and what analysts have set for them, held in memory so that ingest goes on while the registry is away. */
export class Directory {
  readonly #registry: Registry
  readonly #log: Logger
  readonly #now: () => number
  #structures: ReadonlyMap<string, Structure> = new Map()
  #sites: ReadonlyMap<string, Site> = new Map()
  #bySite: ReadonlyMap<string, readonly Structure[]> = new Map()
  #methods: ReadonlyMap<string, readonly FlowMethod[]> = new Map()
  #rules: ReadonlyMap<string, VerdictRule> = new Map()
  #neighbours: ReadonlySet<string> = new Set()
  #siteKeys: ReadonlyMap<string, Buffer> = new Map()
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined

  constructor(deps: { registry: Registry; log: Logger; now: () => number }) {
    this.#registry = deps.registry
    this.#log = deps.log
    this.#now = deps.now
  }

  gate(id: string): Structure | undefined {
    return this.#structures.get(id)
  }

  site(id: string): Site | undefined {
    return this.#sites.get(id)
  }

  /** Those that have been set for a gate, by their date. */
  methods(gate: string): readonly FlowMethod[] {
    return this.#methods.get(gate) ?? []
  }

  rule(gate: string, metric: string): VerdictRule | undefined {
    return this.#rules.get(`${gate} ${metric}`)
  }

  isNeighbour(metric: string): boolean {
    return this.#neighbours.has(metric)
  }

  /** What a site's receipts are sealed with; undefined for a site without keys. */
  siteKey(id: string): Buffer | undefined {
    return this.#siteKeys.get(id)
  }

  gates(): Iterable<Structure> {
    return this.#structures.values()
  }

  gatesOf(site: string): readonly Structure[] {
    return this.#bySite.get(site) ?? []
  }

  sites(): Iterable<Site> {
    return this.#sites.values()
  }

  /** When the reading of the present list began, ms since 1970 UTC. */
  get readAt(): number {
    return this.#readAt
  }

  /** Reads the list. One reading at a time. @throws Fault REGISTRY_UNREACHABLE */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** As refresh, where the caller can't wait: a failure is logged and the old list stays. */
  refreshSoon(): void {
    this.refresh().catch((error: unknown) =>
      this.#log.warn({ error: messageOf(error) }, 'the list of gates was not read; the last one stays in use'),
    )
  }

  async #read(): Promise<void> {
    const began = this.#now()
    const { district, flowMethods, keys, verdictRules } = this.#registry
    const [structures, sites, methods, rules, siteKeys] = await Promise.all([
      district.structures(),
      district.sites(),
      flowMethods.all(),
      verdictRules.all(),
      keys.all(),
    ])
    this.#methods = methods
    this.#rules = new Map(rules.map(({ gate, metric, rule }) => [`${gate} ${metric}`, rule]))
    this.#neighbours = new Set(rules.flatMap(({ rule }) => rule.neighbour?.metric ?? []))
    this.#siteKeys = new Map(siteKeys.filter((k) => k.revokedAt === null).map((k) => [k.site, Buffer.from(k.siteKey, 'base64url')]))
    this.#sites = new Map(sites.map((s) => [s.id, s]))
    this.#structures = new Map(structures.map((s) => [s.id, s]))
    const bySite = new Map<string, Structure[]>()
    for (const structure of structures) {
      const ofSite = bySite.get(structure.site)
      if (ofSite) ofSite.push(structure)
      else bySite.set(structure.site, [structure])
    }
    this.#bySite = bySite
    this.#readAt = began
  }
}
