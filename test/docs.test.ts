import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { FAULT_CODES } from '#contract/fault.ts'
import { EdgeSettings } from '#edge-agent/settings.ts'
import { openReceivers } from '#notify/channels.ts'
import { program } from '../bin/commands.ts'
import { ServiceSettings } from '../bin/settings.ts'
import { settingsDocument } from '../bin/settings-doc.ts'
import { root } from './support/program.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const pages = (): string[] => [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.md'))
    .map((f) => join('docs', f)),
]

test('docs/settings.md says what the schemas say', () => {
  expect(read('docs/settings.md')).toBe(settingsDocument())
})

test('docs/faults.md lists every fault code, in order, and no other', () => {
  const listed = [...read('docs/faults.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map((m) => m[1])
  expect(listed).toEqual([...FAULT_CODES])
})

test('the site file in docs/field-engineer.md is a valid configuration', () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(read('docs/field-engineer.md'))?.[1] ?? ''
  const settings = parseConfig(EdgeSettings, { file: 'docs/field-engineer.md', text: yaml })
  expect(settings.buses.flatMap((b) => b.devices.map((d) => d.structure))).toEqual(['yc-zh-03'])
})

test('the notification section in docs/notification.md could work, given its secrets', () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(read('docs/notification.md'))?.[1] ?? ''
  const { notify } = parseConfig(ServiceSettings, { file: 'docs/notification.md', text: yaml })
  const env = { SMS_GATEWAY_URL: 'https://gateway.example/send', SMS_GATEWAY_SECRET: 'sixteen or more letters' }
  expect(openReceivers(notify, env).map((r) => r.channel)).toEqual(['email', 'webhook', 'email'])
})

/** `edge --config …` is `edge run`; `edge outbox export` has two words. */
function edgeCommand(words: readonly string[]): string[] {
  const named = words.slice(1, 3).filter((w) => /^[a-z]+$/.test(w))
  if (named.length === 0) return ['edge', 'run']
  return ['edge', ...(named[0] === 'outbox' ? named : named.slice(0, 1))]
}

function commandOf(parent: Command, name: string): Command {
  const found = parent.commands.find((c) => c.name() === name)
  if (!found) throw new Error(`${parent.name()} has no command ${name}`)
  return found
}

test('every sluice command and option in the documents is one that the program has', () => {
  const commands = pages().flatMap((page) => [...read(page).matchAll(/^npx sluice (.+)$/gm)].map((m) => m[1] ?? ''))
  expect(commands.length).toBeGreaterThan(5)
  for (const command of commands) {
    const words = command.split(' ')
    const path = ['person', 'key', 'access', 'audit'].includes(words[0] ?? '')
      ? words.slice(0, 2)
      : words[0] === 'edge'
        ? edgeCommand(words)
        : words.slice(0, words[1] === 'fleet' ? 2 : 1)
    const known = path.reduce((parent, name) => commandOf(parent, name), program).helpInformation()
    for (const option of words.filter((w) => w.startsWith('--'))) expect(known, command).toContain(option)
  }
})

test('deploy/sluice.yaml is a valid configuration', () => {
  expect(parseConfig(ServiceSettings, { file: 'deploy/sluice.yaml', text: read('deploy/sluice.yaml') }).api.http.port).toBe(8080)
})

test('every link in README and docs leads to a file', () => {
  const dead = pages().flatMap((page) =>
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
