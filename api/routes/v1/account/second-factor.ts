import { Fault } from '#contract/fault.ts'
import { ConfirmFactor, PasswordAgain, ProposedFactor, RecoveryCodes } from '#contract/http/access.ts'
import type { App } from '../../../app.ts'
import { hashRecoveryCode, makeRecoveryCodes } from '../../../auth/recovery-codes.ts'
import { keyUri, newSecret, stepOf } from '../../../auth/totp.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import type { RouteContext } from '../../context.ts'
import { triesPerMinute } from './tries.ts'

/** A secret that was shown is confirmed within this time, or shown anew. */
const PENDING_MS = 10 * 60_000

/** /api/v1/account/second-factor */
export function ownFactorRoutes(app: App, context: RouteContext): void {
  const { registry, sessions, doors, now } = context
  const tags = ['account']

  app.post(
    '/account/second-factor',
    {
      config: { rateLimit: triesPerMinute(context) },
      schema: {
        tags,
        summary: 'A new secret for an authenticator app; in force once a code of it has come. An older one stays in force until then',
        body: PasswordAgain,
        response: { 201: ProposedFactor, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const { person } = signedIn
      await doors.proveAgain(signedIn, { password: request.body.password, ip: request.ip })
      const factor = await registry.access.secondFactor(person.id)
      // Whoever sits at a session of before the second factor, or stole one, must not put another in its place.
      if (factor?.secret && !signedIn.secondFactor)
        throw new Fault('SECOND_FACTOR_NEEDED', 'there is a second factor, and this session has not used it', 'sign in again with its code')
      const secret = newSecret()
      await registry.access.proposeSecondFactor(person.id, secret, now())
      return reply.code(201).send({ secret, uri: keyUri(secret, person.login) })
    },
  )

  app.post(
    '/account/second-factor/confirm',
    {
      config: { rateLimit: triesPerMinute(context) },
      schema: {
        tags,
        summary: 'Put the new secret in force by a code of it; this session counts as signed in with it. Recovery codes are made anew',
        body: ConfirmFactor,
        response: { 200: RecoveryCodes, ...PROBLEMS },
      },
    },
    async (request) => {
      const { person, tokenHash } = signedInOf(request)
      const at = now()
      const factor = await registry.access.secondFactor(person.id)
      const secret = factor?.pending
      if (!secret || at - (factor.pendingAt ?? 0) > PENDING_MS) throw nothingPending()
      const step = stepOf(secret, request.body.code, at)
      if (step === null)
        throw new Fault('SIGN_IN_REFUSED', 'this is not the code of now', 'see that the phone’s clock is right, and type the next code')
      const codes = makeRecoveryCodes()
      if (!(await registry.access.confirmSecondFactor(person.id, { secret, at, step, recoveryHashes: codes.map(hashRecoveryCode) })))
        throw nothingPending()
      await sessions.noteSecondFactor(tokenHash)
      await registry.audit.append({
        at,
        who: person.login,
        action: factor.secret ? 'second_factor.replace' : 'second_factor.set_up',
        subject: person.login,
        details: { ip: request.ip },
      })
      return { recovery_codes: codes }
    },
  )
}

const nothingPending = (): Fault =>
  new Fault('CONFLICT', 'no secret waits to be confirmed', 'begin again: POST /api/v1/account/second-factor')
