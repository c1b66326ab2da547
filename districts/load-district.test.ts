import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Fault } from '#contract/fault.ts'
import { metres } from '#contract/units.ts'
import { openBayFlow } from '#hydraulics/sluice-gate.ts'
import { tempFolder } from '#test/support/servers.ts'
import { loadDistrict } from './load-district.ts'

const here = import.meta.dirname
const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function exampleWith(file: string, from: string, to: string): Promise<string> {
  const folder = tempFolder('district')
  folders.push(folder)
  await cp(join(here, 'example'), folder, { recursive: true })
  const text = await readFile(join(folder, file), 'utf8')
  expect(text).toContain(from)
  await writeFile(join(folder, file), text.replace(from, to))
  return folder
}

async function faultOf(folder: string): Promise<Fault> {
  try {
    await loadDistrict(folder)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('the district was accepted')
}

test('Hetao has its 94 structures in 8 areas, and every reference leads somewhere', async () => {
  const d = await loadDistrict(join(here, 'hetao'))
  expect([d.name, d.areas.length, d.structures.length]).toEqual(['hetao', 8, 94])
  const rows = d.structures.map((s) => s.seed_id)
  expect(rows).toEqual(Array.from({ length: 94 }, (_, i) => `G${String(i + 1).padStart(3, '0')}`))
  expect(d.structures.find((s) => s.id === 'yc-zh-03')).toMatchObject({
    name: { zh: '皂火干渠第二节制闸', en: 'Zaohuo Main Canal check structure 2' },
    canal: 'zaohuo',
    area: 'yichang',
  })
})

test('every site of Hetao has structures, and those of one site stand within a walk of each other', async () => {
  const d = await loadDistrict(join(here, 'hetao'))
  for (const site of d.sites) {
    const there = d.structures.filter((s) => s.site === site.id)
    expect(there, site.id).not.toHaveLength(0)
    for (const a of there) {
      const nearest = Math.min(...there.filter((b) => b !== a).map((b) => kilometresBetween(a, b)))
      expect(there.length === 1 ? 0 : nearest, a.id).toBeLessThanOrEqual(1)
    }
  }
})

test('every structure of Hetao stands on its canal, with water above its sill and a fall across it', async () => {
  const d = await loadDistrict(join(here, 'hetao'))
  for (const s of d.structures) {
    const canal = d.canals.find((c) => c.id === s.canal)
    expect(s.chainage_km, s.id).toBeLessThanOrEqual(canal?.length_km ?? (s.chainage_km === 0 ? 0 : -1))
    expect(s.design_level_up_m, s.id).toBeGreaterThan(s.design_level_down_m)
    expect(s.design_level_down_m, s.id).toBeGreaterThan(s.sill_m)
    expect(s.datum_m, s.id).toBe(s.sill_m)
  }
})

test('every structure of Hetao passes its design flow with the leaves clear of the water', async () => {
  const d = await loadDistrict(join(here, 'hetao'))
  for (const s of d.structures) {
    const [up, down] = [metres(s.design_level_up_m - s.sill_m), metres(s.design_level_down_m - s.sill_m)]
    expect(s.leaves * openBayFlow({ width: metres(s.leaf_width_m), up, down }), s.id).toBeGreaterThan(s.design_flow_m3s)
  }
})

test('the sources tell how many names are real, and count right', async () => {
  const d = await loadDistrict(join(here, 'hetao'))
  const sources = await readFile(join(here, 'hetao', 'SOURCES.md'), 'utf8')
  for (const provenance of ['real', 'named_by_convention', 'invented'] as const) {
    const count = d.structures.filter((s) => s.provenance === provenance).length
    expect(sources).toMatch(new RegExp(`\\| \`${provenance}\` +\\|.*\\| ${count} +\\|`))
  }
})

test('the example of docs/another-district.md is a whole district', async () => {
  const d = await loadDistrict(join(here, 'example'))
  expect(d.structures.map((s) => [s.id, s.site])).toEqual([
    ['n-mc-01', 'n-s001'],
    ['n-ea-01', 'n-s001'],
  ])
  expect(await readFile(join(here, '..', 'docs', 'another-district.md'), 'utf8')).toContain('districts/example/')
})

test('a wrong figure is named with its file, line and key', async () => {
  const fault = await faultOf(await exampleWith('structures.yaml', 'leaves: 2', 'leaves: two'))
  expect(fault.code).toBe('DISTRICT_INVALID')
  expect(fault.message).toMatch(/structures\.yaml:9:5: structures\.0\.leaves: /)
  expect(fault.next).toContain('docs/another-district.md')
})

test('a reference that leads nowhere and a canal that feeds itself are named', async () => {
  const nowhere = await faultOf(await exampleWith('structures.yaml', 'site: n-s001', 'site: n-s009'))
  expect(nowhere.message).toContain('structure n-mc-01: there is no site n-s009')
  const circle = await faultOf(await exampleWith('canals.yaml', 'parent: null', 'parent: east'))
  expect(circle.message).toContain('canal main is its own ancestor')
})

test('a missing file is named', async () => {
  const folder = await exampleWith('sites.yaml', 'n-s001', 'n-s001')
  await rm(join(folder, 'sites.yaml'))
  expect((await faultOf(folder)).message).toContain(join(folder, 'sites.yaml'))
})

function kilometresBetween(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const east = (a.lon - b.lon) * 111.2 * Math.cos((a.lat * Math.PI) / 180)
  return Math.hypot((a.lat - b.lat) * 111.2, east)
}
