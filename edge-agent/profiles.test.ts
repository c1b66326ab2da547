import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { DeviceProfile } from '#contract/profile.ts'
import { loadProfiles } from './load-profiles.ts'
import { toDevice } from './modbus/device.ts'

const folder = join(import.meta.dirname, 'profiles')
const profiles = await loadProfiles(folder)
const schemaFile = join(folder, 'schema.json')

type Node = { required?: string[]; properties?: Record<string, { default?: unknown }> }
/** What a file must hold: a key that has a default may be left out. */
function asWritten(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asWritten)
  if (typeof schema !== 'object' || schema === null) return schema
  const { required, properties } = schema as Node
  const needed = required?.filter((key) => properties?.[key]?.default === undefined)
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== 'required' || needed?.length)
      .map(([key, value]) => [key, key === 'required' ? needed : asWritten(value)]),
  )
}

test('profiles/schema.json, by which editors check a profile, is made of the schema by which the agent does', async () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Sluice device profile',
    ...(asWritten(DeviceProfile) as object),
  }
  // vitest -u writes it.
  await expect(`${JSON.stringify(schema, null, 1)}\n`).toMatchFileSnapshot(schemaFile)
})

test('every profile is right by profiles/schema.json too, and names it', () => {
  const schema = JSON.parse(readFileSync(schemaFile, 'utf8')) as TSchema
  const files = readdirSync(folder).filter((f) => f.endsWith('.yaml'))
  expect(files.length).toBe(profiles.size)
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8')
    expect([...Value.Errors(schema, parse(text))], file).toEqual([])
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=schema.json')
    expect(file).toBe(`${(parse(text) as { name: string }).name}.yaml`)
  }
})

test('every profile makes a device whose reads keep within its limits and its borders', () => {
  for (const profile of profiles.values()) {
    const device = toDevice({ structure: 's', unit: 1, leaves: 2 }, profile)
    expect(device.metrics.length, profile.name).toBeGreaterThan(0)
    for (const { address, words } of device.blocks) {
      expect(words).toBeLessThanOrEqual(profile.max_words)
      for (const border of profile.borders) expect(address < border && border < address + words, profile.name).toBe(false)
    }
  }
})

test('every profile says where its map comes from, and what an engineer must know', () => {
  for (const { name, source, notes } of profiles.values()) {
    expect(source.length, name).toBeGreaterThan(10)
    if (name !== 'sluice-gate-rtu') expect(notes.length, name).toBeGreaterThan(0)
  }
})
