import type { RouteRecordRaw } from 'vue-router'
import type { TextKey } from '../i18n/zh.ts'
import SituationPage from '../situation/SituationPage.vue'

/** How the navigation is divided: what a dispatcher does all day first. */
export const PAGE_GROUPS = ['watch', 'operate', 'analyse', 'manage'] as const
export type PageGroup = (typeof PAGE_GROUPS)[number]

/** A page of the navigation. `path` has no leading stroke; `label` is its name there. */
export type Page = {
  readonly name: string
  readonly path: string
  readonly label: TextKey
  readonly group: PageGroup
  readonly component: RouteRecordRaw['component']
}

/** Every page that the navigation leads to, in its order. A page is a line here; what is not needed at the start is imported when it is opened. */
export const PAGES: readonly Page[] = [
  { name: 'situation', path: '', label: 'nav.situation', group: 'watch', component: SituationPage },
  { name: 'alarms', path: 'alarms', label: 'alarm.title', group: 'watch', component: () => import('../alarm/AlarmsPage.vue') },
  { name: 'sites', path: 'sites', label: 'site.title', group: 'manage', component: () => import('../site/SitesPage.vue') },
  {
    name: 'schematic',
    path: 'schematic',
    label: 'schematic.nav',
    group: 'watch',
    component: () => import('../schematic/SchematicPage.vue'),
  },
  { name: 'map', path: 'map', label: 'map.title', group: 'watch', component: () => import('../map/MapPage.vue') },
  { name: 'orders', path: 'orders', label: 'order.title', group: 'operate', component: () => import('../order/OrdersPage.vue') },
  { name: 'plans', path: 'plans', label: 'plan.title', group: 'operate', component: () => import('../plan/PlansPage.vue') },
  { name: 'shift', path: 'shift', label: 'shift.title', group: 'watch', component: () => import('../shift/ShiftPage.vue') },
  {
    name: 'consultations',
    path: 'consultations',
    label: 'consultation.title',
    group: 'watch',
    component: () => import('../past/ConsultationsPage.vue'),
  },
  { name: 'trends', path: 'trends', label: 'trend.nav', group: 'watch', component: () => import('../trend/TrendsPage.vue') },
  { name: 'reports', path: 'reports', label: 'report.nav', group: 'analyse', component: () => import('../report/ReportsPage.vue') },
  { name: 'volumes', path: 'volumes', label: 'volume.nav', group: 'analyse', component: () => import('../volume/VolumesPage.vue') },
  { name: 'balance', path: 'balance', label: 'balance.nav', group: 'analyse', component: () => import('../volume/BalancePage.vue') },
  {
    name: 'notifications',
    path: 'notifications',
    label: 'notification.title',
    group: 'manage',
    component: () => import('../notification/NotificationsPage.vue'),
  },
  {
    name: 'dead-letters',
    path: 'dead-letters',
    label: 'nav.deadLetters',
    group: 'manage',
    component: () => import('../dead-letter/DeadLettersPage.vue'),
  },
  { name: 'people', path: 'people', label: 'people.title', group: 'manage', component: () => import('../people/PeoplePage.vue') },
  { name: 'audit', path: 'audit', label: 'audit.title', group: 'manage', component: () => import('../audit/AuditPage.vue') },
  { name: 'account', path: 'account', label: 'account.title', group: 'manage', component: () => import('../account/AccountPage.vue') },
]

/** Pages that show the past as they do the present. Any other ends a replay. */
export const PAST_PAGES: readonly unknown[] = ['situation', 'alarms', 'schematic', 'map', 'trends', 'gate', 'wall']

/** Pages that are reached from a gate or by an address, not from the navigation. */
export const OTHER_PAGES: readonly RouteRecordRaw[] = [
  { path: 'gates/:id', name: 'gate', component: () => import('../gate/GatePage.vue'), props: true },
  { path: 'gates/:id/review', name: 'review', component: () => import('../review/ReviewPage.vue'), props: true },
  { path: 'orders/:id', name: 'order', component: () => import('../order/OrderPage.vue'), props: true },
  { path: 'sites/:id/config', name: 'site-config', component: () => import('../site/SiteConfigPage.vue'), props: true },
  { path: 'wall', name: 'wall', component: () => import('../wall/WallPage.vue'), meta: { bare: true } },
  { path: ':rest(.*)*', name: 'not-found', component: () => import('./NotFoundPage.vue') },
]
