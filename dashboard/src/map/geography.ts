import type { Feature, FeatureCollection, LineString, Point } from 'geojson'
import type { Canal, Structure } from '#contract/district.ts'

type Placed = Pick<Structure, 'id' | 'canal' | 'chainage_km' | 'lat' | 'lon'>
type Fed = Pick<Canal, 'id' | 'parent' | 'parent_chainage_km' | 'design_flow_m3s'>
type Position = readonly [lon: number, lat: number]
type Stop = { readonly km: number; readonly at: Position }

/** Canals as lines through their structures in the order of chainage, from where they leave their parent. */
export function canalLines(canals: Iterable<Fed>, structures: readonly Placed[]): FeatureCollection<LineString, { flow: number }> {
  const byId = new Map([...canals].map((c) => [c.id, c]))
  const stops = new Map<string, Stop[]>()
  for (const s of structures) stops.set(s.canal, [...(stops.get(s.canal) ?? []), { km: s.chainage_km, at: [s.lon, s.lat] }])
  for (const list of stops.values()) list.sort((a, b) => a.km - b.km)
  const features = [...byId.values()].flatMap((canal): Feature<LineString, { flow: number }>[] => {
    const own = stops.get(canal.id) ?? []
    const parent = canal.parent === null ? [] : (stops.get(canal.parent) ?? [])
    const head = positionAt(parent, canal.parent_chainage_km)
    const line = [...(head ? [head] : []), ...own.map((s) => s.at)]
    if (line.length < 2) return []
    const coordinates = line.map(([lon, lat]) => [lon, lat])
    return [{ type: 'Feature', properties: { flow: canal.design_flow_m3s ?? 0 }, geometry: { type: 'LineString', coordinates } }]
  })
  return { type: 'FeatureCollection', features }
}

/** A point of a canal between two of its structures; beyond them, and with one alone, the nearest. */
function positionAt(stops: readonly Stop[], km: number | null): Position | undefined {
  const after = stops.findIndex((s) => s.km >= (km ?? 0))
  const [low, high] = [stops[after - 1], stops[after]]
  if (!high) return stops.at(-1)?.at
  if (!low || high.km === low.km) return high.at
  const share = ((km ?? 0) - low.km) / (high.km - low.km)
  return [low.at[0] + share * (high.at[0] - low.at[0]), low.at[1] + share * (high.at[1] - low.at[1])]
}

export type Marked = { readonly id: string; readonly mark: string; readonly label: string; readonly rank: number }
/** Structures as points. `rank` is 0 for what must be seen first. */
export function gatePoints(structures: readonly Placed[], markOf: (id: string) => Omit<Marked, 'id'>): FeatureCollection<Point, Marked> {
  return {
    type: 'FeatureCollection',
    features: structures.map(({ id, lon, lat }) => ({
      type: 'Feature',
      properties: { id, ...markOf(id) },
      geometry: { type: 'Point', coordinates: [lon, lat] },
    })),
  }
}

/** South-west and north-east corner of all structures, or undefined where there is none. */
export function boundsOf(structures: readonly Placed[]): [[number, number], [number, number]] | undefined {
  if (structures.length === 0) return undefined
  const [lons, lats] = [structures.map((s) => s.lon), structures.map((s) => s.lat)]
  return [
    [Math.min(...lons), Math.min(...lats)],
    [Math.max(...lons), Math.max(...lats)],
  ]
}
