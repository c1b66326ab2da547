import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { openClient } from './http/client.ts'
import { CLIENT } from './http/provided.ts'
import { openI18n } from './i18n/i18n.ts'
import { openRouter } from './router.ts'
import { useSession } from './session/session.ts'
import { storedLocale } from './shell/preferences.ts'
import './style/tokens.css'
import './style/base.css'

const app = createApp(App)
const client = openClient({ fetch: (...args) => fetch(...args), onSignedOut: () => useSession(pinia).expire() })
const pinia = createPinia()
app
  .provide(CLIENT, client)
  .use(pinia)
  .use(openI18n(storedLocale(localStorage)))
const session = useSession(pinia)
app.use(openRouter({ isSignedIn: () => session.person !== null, mustChangePassword: () => session.person?.must_change_password ?? false }))
app.mount('#app')
