import type { District, Structure } from '#contract/district.ts'

const AREAS = 10

const name = (id: string): { zh: string; en: string } => ({ zh: id, en: id })

/** A made-up district of so many sites, spread over ten areas. */
export function fleetDistrict(sites: number, { structuresPerSite }: { structuresPerSite: number }): District {
  const areas = Array.from({ length: Math.min(AREAS, sites) }, (_, i) => ({ id: `fleet-a${i}`, name: name(`fleet-a${i}`), order: i }))
  const areaOf = (i: number): string => `fleet-a${i % areas.length}`
  const idOf = (i: number): string => `fleet-s${String(i).padStart(5, '0')}`
  return {
    name: 'fleet',
    areas,
    canals: areas.map(({ id }) => ({
      id: `${id}-main`,
      name: name(`${id}-main`),
      area: id,
      parent: null,
      parent_chainage_km: null,
      length_km: null,
      design_flow_m3s: null,
    })),
    sites: Array.from({ length: sites }, (_, i) => ({
      id: idOf(i),
      name: name(idOf(i)),
      area: areaOf(i),
      station: 'fleet',
      report_interval_ms: 60_000,
    })),
    structures: Array.from({ length: sites * structuresPerSite }, (_, n): Structure => {
      const i = Math.floor(n / structuresPerSite)
      const id = `${idOf(i)}-${(n % structuresPerSite) + 1}`
      return {
        id,
        name: name(id),
        provenance: 'invented',
        area: areaOf(i),
        canal: `${areaOf(i)}-main`,
        site: idOf(i),
        type: 'offtake',
        leaves: 1,
        leaf_width_m: 2,
        leaf_height_m: 2,
        design_flow_m3s: 5,
        chainage_km: n % 100,
        sill_m: 1030,
        datum_m: 1030,
        design_level_up_m: 1032,
        design_level_down_m: 1031.5,
        lat: 40.8,
        lon: 107.4,
      }
    }),
  }
}
