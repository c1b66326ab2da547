import { onBeforeUnmount, ref, type ShallowRef, shallowRef, watch } from 'vue'
import { isAbort } from './client.ts'

/**
 * Asks whenever the question changes, and shows the answer to the latest one alone.
 * @param question null asks nothing
 */
export function useReply<Q, R>(
  question: () => Q | null,
  ask: (question: Q, signal: AbortSignal) => Promise<R>,
): { readonly reply: ShallowRef<R | undefined>; readonly failure: ShallowRef<string> } {
  const reply = shallowRef<R>()
  const failure = ref('')
  let reading: AbortController | undefined
  async function read(): Promise<void> {
    reading?.abort()
    reply.value = undefined
    failure.value = ''
    const asked = question()
    if (asked === null) return
    const mine = new AbortController()
    reading = mine
    try {
      const found = await ask(asked, mine.signal)
      if (reading === mine) reply.value = found
    } catch (error) {
      if (reading === mine && !isAbort(error)) failure.value = error instanceof Error ? error.message : String(error)
    }
  }
  watch(
    () => JSON.stringify(question()),
    () => void read(),
    { immediate: true },
  )
  onBeforeUnmount(() => reading?.abort())
  return { reply, failure }
}
