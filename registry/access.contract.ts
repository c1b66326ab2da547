import { beforeEach, describe, expect, test } from 'vitest'
import { unixMs } from '#contract/units.ts'
import type { Registry } from './port.ts'

const T = unixMs(1_790_000_000_000)
let n = 0

/** What both engines must keep of second factors and tokens. */
export function accessContract(registryNow: () => Registry): void {
  let person = ''
  beforeEach(async () => {
    n += 1
    const added = { login: `access-${n}`, name: '人', passwordHash: 'x', grants: [], mustChangePassword: false }
    person = (await registryNow().people.add(added)).id
  })
  const access = () => registryNow().access

  describe('second factors', () => {
    const confirm = (secret: string, codes: readonly string[], step = 100) =>
      access().confirmSecondFactor(person, { secret, at: T, step, recoveryHashes: codes.map((c) => `${person} ${c}`) })

    test('a secret is in force once it is confirmed, and a newer one leaves it in force until then', async () => {
      await access().proposeSecondFactor(person, 'ONE', T)
      expect(await access().secondFactor(person)).toEqual({ secret: null, confirmedAt: null, pending: 'ONE', pendingAt: T })
      expect(await confirm('OTHER', ['a'])).toBe(false)
      expect(await confirm('ONE', ['a', 'b'])).toBe(true)
      expect(await access().secondFactor(person)).toEqual({ secret: 'ONE', confirmedAt: T, pending: null, pendingAt: null })
      expect(await confirm('ONE', ['c'])).toBe(false)
      await access().proposeSecondFactor(person, 'TWO', T)
      expect(await access().secondFactor(person)).toMatchObject({ secret: 'ONE', pending: 'TWO' })
      expect((await access().confirmedFactors()).get(person)).toBe(T)
    })

    test('no step’s code is taken twice, nor an older one, however many come at once', async () => {
      await access().proposeSecondFactor(person, 'ONE', T)
      await confirm('ONE', ['a'])
      expect(await access().useStep(person, 100)).toBe(false)
      const uses = await Promise.all(Array.from({ length: 6 }, () => access().useStep(person, 101)))
      expect(uses.filter((used) => used)).toHaveLength(1)
      expect(await access().useStep(person, 100)).toBe(false)
      expect(await access().useStep(person, 102)).toBe(true)
    })

    test('a recovery code is good once, and those of before a new secret are good no more', async () => {
      await access().proposeSecondFactor(person, 'ONE', T)
      await confirm('ONE', ['a', 'b', 'c'])
      const uses = await Promise.all(Array.from({ length: 4 }, () => access().useRecoveryCode(person, `${person} a`, T)))
      expect(uses.filter((used) => used)).toHaveLength(1)
      expect(await access().useRecoveryCode('somebody else', `${person} b`, T)).toBe(false)
      expect(await access().recoveryCodesLeft(person)).toBe(2)
      await access().proposeSecondFactor(person, 'TWO', T)
      await confirm('TWO', ['d'])
      expect(await access().useRecoveryCode(person, `${person} b`, T)).toBe(false)
      expect(await access().recoveryCodesLeft(person)).toBe(1)
      expect(await access().removeSecondFactor(person)).toBe(true)
      expect(await access().removeSecondFactor(person)).toBe(false)
      expect(await access().recoveryCodesLeft(person)).toBe(0)
    })
  })

  test('a token is found by its hash, a person has one of a name, and only its owner’s is removed', async () => {
    const token = {
      id: `id-${person}`,
      tokenHash: `hash-${person}`,
      personId: person,
      name: 'export',
      scopes: ['read'],
      area: 'yichang',
      createdAt: T,
      expiresAt: T + 1,
    }
    await access().addToken(token)
    await expect(access().addToken({ ...token, id: 'other', tokenHash: 'other' })).rejects.toMatchObject({ code: 'CONFLICT' })
    await access().noteTokenUse(token.id, T)
    expect(await access().tokenByHash(token.tokenHash)).toEqual({ ...token, usedAt: T })
    expect(await access().tokensOf(person)).toHaveLength(1)
    expect(await access().removeToken(token.id, 'somebody else')).toBeUndefined()
    expect(await access().removeToken(token.id, person)).toMatchObject({ name: 'export' })
    expect(await access().tokenByHash(token.tokenHash)).toBeUndefined()
  })
}
