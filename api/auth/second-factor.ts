import type { UnixMs } from '#contract/units.ts'
import type { AccessRegistry } from '#registry/access.ts'
import { hashRecoveryCode } from './recovery-codes.ts'
import { stepOf } from './totp.ts'

/** By what a second factor was proved. */
export type Proof = 'totp' | 'recovery_code'

type Deps = { readonly access: Pick<AccessRegistry, 'useStep' | 'useRecoveryCode'>; readonly now: UnixMs }

/** Uses up a code: none is taken twice. @returns null where it is wrong or was used. */
export async function proveCode(
  { access, now }: Deps,
  of: { readonly personId: string; readonly secret: string },
  code: string,
): Promise<Proof | null> {
  const digits = code.replaceAll(/\s/g, '')
  if (/^\d{6}$/.test(digits)) {
    const step = stepOf(of.secret, digits, now)
    return step !== null && (await access.useStep(of.personId, step)) ? 'totp' : null
  }
  return (await access.useRecoveryCode(of.personId, hashRecoveryCode(code), now)) ? 'recovery_code' : null
}
