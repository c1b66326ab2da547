import type { Area, Canal, Site, Structure } from '#contract/district.ts'
import type { Registry } from '#registry/port.ts'

export type District = {
  readonly areas: readonly Area[]
  readonly canals: readonly Canal[]
  readonly sites: readonly Site[]
  readonly structures: readonly Structure[]
  readonly siteById: ReadonlyMap<string, Site>
  readonly structureById: ReadonlyMap<string, Structure>
}

// So long may what another process has registered go unseen; a page load reads the district several times within it.
const FRESH_MS = 3000

/** The district as the registry has it, read at most once in a few seconds. */
export class DistrictView {
  readonly #registry: Pick<Registry, 'district'>
  #reading: { readonly at: number; readonly district: Promise<District> } | undefined

  constructor(registry: Pick<Registry, 'district'>) {
    this.#registry = registry
  }

  /** @throws Fault REGISTRY_UNREACHABLE */
  async read(): Promise<District> {
    const now = performance.now()
    if (this.#reading && now - this.#reading.at < FRESH_MS) return await this.#reading.district
    const reading = { at: now, district: readDistrict(this.#registry) }
    this.#reading = reading
    try {
      return await reading.district
    } catch (error) {
      if (this.#reading === reading) this.#reading = undefined
      throw error
    }
  }

  /** After something has been registered here. */
  forget(): void {
    this.#reading = undefined
  }
}

async function readDistrict({ district }: Pick<Registry, 'district'>): Promise<District> {
  const [areas, canals, sites, structures] = await Promise.all([
    district.areas(),
    district.canals(),
    district.sites(),
    district.structures(),
  ])
  return {
    areas,
    canals,
    sites,
    structures,
    siteById: new Map(sites.map((s) => [s.id, s])),
    structureById: new Map(structures.map((s) => [s.id, s])),
  }
}
