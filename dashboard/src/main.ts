import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { openClient } from './http/client.ts'
import { CLIENT } from './http/provided.ts'
import { openI18n } from './i18n/i18n.ts'
import { usePast } from './past/store.ts'
import { openRouter } from './router.ts'
import { useSession } from './session/session.ts'
import { storedLocale } from './shell/preferences.ts'
import './style/tokens.css'
import './style/base.css'

const app = createApp(App)
/** What may be sent while the past is shown: it changes nothing of the district, or stops a gate, which is never in the way of anything. */
const SENT_FROM_THE_PAST = /^\/((consultations|session|views)(\/|$)|gates\/[^/]+\/stop$)/
const client = openClient({
  fetch: (...args) => fetch(...args),
  onSignedOut: () => useSession(pinia).expire(),
  refusalOf: ({ method, path }) =>
    method === 'GET' || SENT_FROM_THE_PAST.test(path) || !usePast(pinia).isActive ? null : i18n.global.t('past.refused'),
})
const pinia = createPinia()
const i18n = openI18n(storedLocale(localStorage))
app.provide(CLIENT, client).use(pinia).use(i18n)
const session = useSession(pinia)
app.use(
  openRouter({
    isSignedIn: () => session.person !== null,
    mustChangePassword: () => session.person?.must_change_password ?? false,
    past: () => usePast(pinia).at,
  }),
)
app.mount('#app')
