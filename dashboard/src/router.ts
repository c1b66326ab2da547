import { createRouter, createWebHistory, type RouteRecordRaw, type Router } from 'vue-router'
import { OTHER_PAGES, PAGES } from './shell/pages.ts'
import Shell from './shell/Shell.vue'

/** The pages. The overview comes at once; what is not needed for it is loaded when it is opened. */
export function openRouter(deps: { isSignedIn: () => boolean; mustChangePassword: () => boolean }): Router {
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
  return router
}
