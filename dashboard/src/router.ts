import { createRouter, createWebHistory, type RouteRecordRaw, type Router } from 'vue-router'
import { OTHER_PAGES, PAGES, PAST_PAGES } from './shell/pages.ts'
import Shell from './shell/Shell.vue'

/** The pages. The overview comes at once; what is not needed for it is loaded when it is opened. */
type Deps = {
  readonly isSignedIn: () => boolean
  readonly mustChangePassword: () => boolean
  /** The moment that is shown, or null for the present. */
  readonly past: () => number | null
}
export function openRouter(deps: Deps): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/sign-in', name: 'sign-in', component: () => import('./session/SignInPage.vue') },
      { path: '/first-password', name: 'first-password', component: () => import('./account/FirstPasswordPage.vue') },
      {
        path: '/',
        component: Shell,
        children: [...PAGES.map(({ name, path, component }) => ({ name, path, component }) as RouteRecordRaw), ...OTHER_PAGES],
      },
    ],
  })
  router.beforeEach((to) => {
    if (to.name === 'sign-in') return true
    if (deps.isSignedIn()) {
      const isDue = deps.mustChangePassword()
      if (isDue === (to.name === 'first-password')) return true
      return isDue ? { name: 'first-password' } : { path: '/' }
    }
    return { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  })
  // From page to page the moment stays; a link that names another leads there.
  router.beforeEach((to) => {
    const past = deps.past()
    if (past === null || to.query['past'] !== undefined || !PAST_PAGES.includes(to.name)) return true
    return { ...to, query: { ...to.query, past: String(past) } }
  })
  return router
}
