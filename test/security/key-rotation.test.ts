/** The signing key is exchanged as docs/provisioning.md says: no moment without a key that the agent believes, and the old one is worth nothing afterwards. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeKeyFile, openSigner } from '#api/control/signer.ts'
import { encodeCommand } from '#contract/command.ts'
import { openSigned, trustedKeys } from '#edge-agent/command/verify.ts'
import { tempFolder } from '../support/servers.ts'

const folder = tempFolder('rotation')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const content = encodeCommand({
  v: 1,
  id: '00000000-0000-4000-8000-000000000001',
  area: 'yichang',
  site: 'yc-s012',
  structure: 'yc-zh-03',
  counter: 7,
  issued: 1,
  expires: 2,
  by: 'wang',
  action: { kind: 'stop' },
})

test('while a key is exchanged the agent believes both, and afterwards the new one alone', () => {
  const [oldFile, newFile] = [join(folder, 'commands.pem'), join(folder, 'commands-2.pem')]
  const [oldHalf, newHalf] = [makeKeyFile(oldFile), makeKeyFile(newFile)]
  const signedBy = (file: string): Uint8Array => openSigner(file).sign('command', content)
  const believed = (keys: readonly string[]) =>
    [oldFile, newFile].map((file) => openSigned('command', signedBy(file), trustedKeys(keys)) !== null)
  expect(believed([oldHalf])).toEqual([true, false])
  expect(believed([oldHalf, newHalf])).toEqual([true, true])
  expect(believed([newHalf])).toEqual([false, true])
  expect(openSigned('command', signedBy(newFile), trustedKeys([newHalf]))).toEqual(content)
})
