import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Static, TSchema } from 'typebox'
import { parseConfig } from '#contract/config.ts'
import { AreasFile, type Canal, CanalsFile, type District, inconsistencies, SitesFile, StructuresFile } from '#contract/district.ts'
import { Fault, messageOf } from '#contract/fault.ts'

const NEXT = 'correct the district’s files; docs/another-district.md explains them'

/**
 * Reads the four files of a district's folder; the folder's name is the district's.
 * @throws Fault DISTRICT_INVALID with file, line and key of each mistake, or with each reference that leads nowhere.
 */
export async function loadDistrict(folder: string): Promise<District> {
  const [{ areas }, { canals }, { sites }, { structures }] = await Promise.all([
    readPart(AreasFile, join(folder, 'areas.yaml')),
    readPart(CanalsFile, join(folder, 'canals.yaml')),
    readPart(SitesFile, join(folder, 'sites.yaml')),
    readPart(StructuresFile, join(folder, 'structures.yaml')),
  ])
  const district: District = { name: basename(resolve(folder)), areas, canals, sites, structures }
  const found = [...inconsistencies(district), ...circles(canals)]
  if (found.length > 0) throw new Fault('DISTRICT_INVALID', found.map((f) => `${folder}: ${f}`).join('\n'), NEXT)
  return district
}

async function readPart<S extends TSchema>(schema: S, file: string): Promise<Static<S>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Fault('DISTRICT_INVALID', `${file} can't be read: ${messageOf(cause)}`, NEXT, { cause })
  })
  try {
    return parseConfig(schema, { text, file, code: 'DISTRICT_INVALID' })
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause
    throw new Fault('DISTRICT_INVALID', cause.message, NEXT, { cause })
  }
}

/** @returns one sentence for each canal whose parents lead back to it: no drawing of such a tree would end. */
function circles(canals: readonly Canal[]): string[] {
  const parents = new Map(canals.map((c) => [c.id, c.parent]))
  return canals.flatMap((canal) => {
    const seen = new Set<string>()
    for (let id: string | null | undefined = canal.parent; id && !seen.has(id); id = parents.get(id)) {
      if (id === canal.id) return [`canal ${canal.id} is its own ancestor`]
      seen.add(id)
    }
    return []
  })
}
