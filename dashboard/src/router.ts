import { createRouter, createWebHistory, type Router } from 'vue-router'
import Shell from './shell/Shell.vue'
import SituationPage from './situation/SituationPage.vue'

/** The pages. The overview comes at once; what is not needed for it is loaded when it is opened. */
export function openRouter(deps: { isSignedIn: () => boolean }): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/sign-in', name: 'sign-in', component: () => import('./session/SignInPage.vue') },
      {
        path: '/',
        component: Shell,
        children: [
          { path: '', name: 'situation', component: SituationPage },
          { path: 'gates/:id', name: 'gate', component: () => import('./gate/GatePage.vue'), props: true },
          { path: 'dead-letters', name: 'dead-letters', component: () => import('./dead-letter/DeadLettersPage.vue') },
          { path: ':rest(.*)*', name: 'not-found', component: () => import('./shell/NotFoundPage.vue') },
        ],
      },
    ],
  })
  router.beforeEach((to) => {
    if (to.name === 'sign-in' || deps.isSignedIn()) return true
    return { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  })
  return router
}
