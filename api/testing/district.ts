import type { Area, Canal, District, Site, Structure } from '#contract/district.ts'
import type { LiveState, LiveValue } from '#contract/live.ts'

const name = (zh: string, en: string) => ({ zh, en })
const area = (id: string, order: number): Area => ({ id, name: name(id, id), order })
const canal = (id: string, areaId: string): Canal => ({
  id,
  name: name(id, id),
  area: areaId,
  parent: null,
  parent_chainage_km: null,
  length_km: 10,
  design_flow_m3s: 20,
})
const site = (id: string, areaId: string): Site => ({ id, name: name(id, id), area: areaId, station: '供水所', report_interval_ms: 5000 })

export const structure = (id: string, place: { area: string; canal: string; site: string }): Structure => ({
  id,
  name: name('试验闸', 'Test gate'),
  provenance: 'invented',
  ...place,
  type: 'regulator',
  leaves: 2,
  leaf_width_m: 3,
  leaf_height_m: 2.5,
  design_flow_m3s: 12,
  chainage_km: 1.5,
  sill_m: 1030,
  datum_m: 1030,
  design_level_up_m: 1032,
  design_level_down_m: 1031.5,
  lat: 40.7,
  lon: 107.4,
})

const YICHANG = { area: 'yichang', canal: 'yc-main', site: 'yc-s012' }
const WULANBUHE = { area: 'wulanbuhe', canal: 'wl-main', site: 'wl-s001' }

/** Two areas, so that what one person sees of them differs from what another does. */
export const DISTRICT: District = {
  name: 'test',
  areas: [area('yichang', 1), area('wulanbuhe', 2)],
  canals: [canal('yc-main', 'yichang'), canal('wl-main', 'wulanbuhe')],
  sites: [site('yc-s012', 'yichang'), site('wl-s001', 'wulanbuhe')],
  structures: [structure('yc-zh-03', YICHANG), structure('yc-zh-04', YICHANG), structure('wl-zh-01', WULANBUHE)],
}

export const liveValue = (t: number, v: number): LiveValue => ({ t, rx: t + 5, v, q: 0 })

/** The state that ingest would publish for a gate of the district. */
export function liveState(gate: string, metrics: Record<string, LiveValue>, online = true): LiveState {
  const found = DISTRICT.structures.find((s) => s.id === gate)
  if (!found) throw new Error(`no gate ${gate} in the test district`)
  return { gate, area: found.area, site: found.site, online, metrics }
}
