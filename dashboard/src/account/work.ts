import { type Ref, ref } from 'vue'
import { RequestFailure } from '../http/client.ts'
import { useText } from '../i18n/i18n.ts'

/** One piece of work at a time for a form: whether it is under way, and what went wrong in the person's language. */
export function useWork(): { working: Ref<boolean>; failure: Ref<string>; run: (work: () => Promise<void>) => Promise<void> } {
  const { say } = useText()
  const working = ref(false)
  const failure = ref('')

  function wordsOf(error: unknown): string {
    if (!(error instanceof RequestFailure)) return String(error)
    if (error.status === 0) return say('session.unreachable')
    switch (error.problem?.code) {
      case 'SIGN_IN_REFUSED':
        return say('account.wrong')
      case 'LOCKED_OUT':
        return say('session.locked')
      case 'PASSWORD_TOO_WEAK':
        return say('account.tooWeak')
      case 'SECOND_FACTOR_NEEDED':
        return say('account.signInWithCode')
      default:
        return say('account.failed', { detail: error.message })
    }
  }
  return {
    working,
    failure,
    run: async (work) => {
      working.value = true
      failure.value = ''
      try {
        await work()
      } catch (error) {
        failure.value = wordsOf(error)
      } finally {
        working.value = false
      }
    },
  }
}
