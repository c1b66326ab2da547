import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { SessionInfo } from '#contract/http.ts'
import { useClient } from '../http/provided.ts'

const KEY = 'sluice.person'

/** Who is signed in, as far as this page knows; the server has the last word, by 401. The cookie itself is out of the page's reach. */
export const useSession = defineStore('session', () => {
  const client = useClient()
  const person = shallowRef(restored())
  const expired = ref(false)

  function keep(info: SessionInfo | null): void {
    person.value = info
    if (info) localStorage.setItem(KEY, JSON.stringify(info))
    else localStorage.removeItem(KEY)
  }

  return {
    person,
    /** The session ended by itself: the sign-in page says so. */
    expired,
    async signIn(who: { login: string; password: string; code?: string }): Promise<void> {
      keep(await client.signIn(who))
      expired.value = false
    },
    /** What the server knows now, after a change to the account. */
    async refresh(): Promise<void> {
      keep(await client.session())
    },
    async signOut(): Promise<void> {
      await client.signOut()
      expired.value = false
      keep(null)
    },
    expire(): void {
      if (!person.value) return
      expired.value = true
      keep(null)
    },
  }
})

function restored(): SessionInfo | null {
  try {
    const info: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    const usable = typeof info === 'object' && info !== null && 'expires_at' in info && typeof info.expires_at === 'number'
    return usable && Number(info.expires_at) > Date.now() ? (info as SessionInfo) : null
  } catch {
    // Not ours, or of an older version: sign in anew.
    return null
  }
}
