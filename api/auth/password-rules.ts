import { Fault } from '#contract/fault.ts'

export const LEAST_PASSWORD = 10
/** zxcvbn's 3 of 4: at least 10^8 guesses, which argon2id makes too dear. */
const LEAST_SCORE = 3
/** What stands behind adds nothing to the judgement, and time to it. */
const MOST_JUDGED = 64

/** A new password: long enough, and none of the first that somebody would guess. @throws Fault PASSWORD_TOO_WEAK */
export async function requireStrong(
  password: string,
  of: { readonly login: string; readonly name: string; readonly before?: string },
): Promise<void> {
  const length = [...password].length
  if (length < LEAST_PASSWORD) {
    throw new Fault('PASSWORD_TOO_WEAK', `the password has ${length} characters`, `choose one of at least ${LEAST_PASSWORD}`)
  }
  if (password === of.before) throw new Fault('PASSWORD_TOO_WEAK', 'the password is the one of before', 'choose another')
  // Its dictionaries are large, and few people ever choose a password.
  const { scoreOf } = await import('./guessing.ts')
  if (scoreOf(password.slice(0, MOST_JUDGED), ['sluice', of.login, of.name, ...of.name.split(/\s+/)]) >= LEAST_SCORE) return
  throw new Fault(
    'PASSWORD_TOO_WEAK',
    'the password is easily guessed',
    'avoid common passwords, names, dates and rows of keys; several words that have nothing to do with each other are good',
  )
}
