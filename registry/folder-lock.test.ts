import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { tempFolder } from '#test/support/servers.ts'
import { lockFolder } from './folder-lock.ts'

const root = tempFolder('lock')
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('of many that want the folder at the same moment never two get it', async () => {
  const folder = join(root, 'crowd')
  for (let round = 0; round < 5; round++) {
    const locks = await Promise.all(Array.from({ length: 6 }, () => lockFolder(folder)))
    const held = locks.filter((lock) => lock !== null)
    expect(held.length).toBeLessThanOrEqual(1)
    for (const lock of held) await lock.release()
  }
  expect(readdirSync(folder)).toEqual([])
})

test('a folder deep down can be locked, and only once', async () => {
  const folder = join(root, 'a'.repeat(90), 'b'.repeat(90))
  mkdirSync(folder, { recursive: true })
  const lock = await lockFolder(folder)
  expect(lock).not.toBeNull()
  expect(readdirSync(folder)).toEqual([expect.stringMatching(/\.sock$/)])
  expect(await lockFolder(folder)).toBeNull()
  await lock?.release()
  const again = await lockFolder(folder)
  expect(again).not.toBeNull()
  await again?.release()
})
