import { expect, test } from 'vitest'
import { requireStrong } from './password-rules.ts'

const of = { login: 'wangfang', name: '王芳 Wang Fang' }
const judged = async (password: string): Promise<string> => {
  try {
    await requireStrong(password, of)
    return 'taken'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

test('a password of fewer than ten characters is refused, however odd it is', async () => {
  expect(await judged('x7$Kq!9zP')).toBe('the password has 9 characters')
  expect(await judged('闸门闸门')).toBe('the password has 4 characters')
})

test.each([
  '1234567890',
  'password123',
  'qwertyuiop',
  'aaaaaaaaaaaa',
  'wangfang2026',
  '1qaz2wsx3edc',
  'sluice1234',
  '2026-11-25',
  'P@ssw0rd12',
])('%s is refused: somebody would try it early', async (password) => expect(await judged(password)).toBe('the password is easily guessed'))

test.each(['correct horse battery staple', 'gui4-lu7-shan', '永济渠夏灌第三次放水', 'kkkZr9#tQ2mVx'])('%s is taken', async (password) =>
  expect(await judged(password)).toBe('taken'),
)
