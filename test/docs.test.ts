import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { FAULT_CODES } from '#contract/fault.ts'
import { ServiceSettings } from '../bin/settings.ts'
import { settingsDocument } from '../bin/settings-doc.ts'
import { root } from './support/program.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

test('docs/settings.md says what the schemas say', () => {
  expect(read('docs/settings.md')).toBe(settingsDocument())
})

test('docs/faults.md lists every fault code, in order, and no other', () => {
  const listed = [...read('docs/faults.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map((m) => m[1])
  expect(listed).toEqual([...FAULT_CODES])
})

test('deploy/sluice.yaml is a valid configuration', () => {
  expect(parseConfig(ServiceSettings, { file: 'deploy/sluice.yaml', text: read('deploy/sluice.yaml') }).api.http.port).toBe(8080)
})

test('every link in README and docs leads to a file', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((f) => f.endsWith('.md'))
      .map((f) => join('docs', f)),
  ]
  const dead = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)]
      .map((m) => join(page, '..', m[1] ?? ''))
      .filter((target) => {
        try {
          readFileSync(join(root, target))
          return false
        } catch {
          return !readdirSync(join(root, target, '..')).includes(target.split('/').at(-1) ?? '')
        }
      })
      .map((target) => `${page} → ${target}`),
  )
  expect(dead).toEqual([])
})
