import { Site } from '#contract/district.ts'
import { Fault } from '#contract/fault.ts'
import { SiteList, SiteView } from '#contract/http/site.ts'
import { PageQuery } from '#contract/http.ts'
import { may, reaches, reachOf } from '#contract/may.ts'
import type { App } from '../../app.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import { IdParams, pageOf, type RouteContext } from '../context.ts'
import { requireConsistent, requireRegister } from './register.ts'

/** /api/v1/sites */
export function siteRoutes(app: App, { district, registry, now, sites: states }: RouteContext): void {
  const withState = (site: Site): SiteView => ({ ...site, state: states.get(site.id) ?? null })
  app.get(
    '/sites',
    {
      schema: {
        tags: ['district'],
        summary: 'The sites of the areas that the person may see, with their agents’ health',
        querystring: PageQuery,
        response: { 200: SiteList, ...PROBLEMS },
      },
    },
    async (request) => {
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      const { sites } = await district.read()
      return pageOf(sites.filter((s) => reaches(reach, s.area)).map(withState), request.query)
    },
  )

  app.get(
    '/sites/:id',
    {
      schema: {
        tags: ['district'],
        summary: 'One site, with its agent’s health',
        params: IdParams,
        response: { 200: SiteView, ...PROBLEMS },
      },
    },
    async (request) => {
      const { siteById } = await district.read()
      const site = siteById.get(request.params.id)
      if (!site) throw new Fault('NOT_FOUND', `there is no site ${request.params.id}`, 'GET /api/v1/sites lists them')
      const { person } = signedInOf(request)
      if (may(person.grants, 'read', site.area)) return withState(site)
      throw new Fault(
        'NOT_ALLOWED',
        `site ${site.id} lies in area ${site.area}, which ${person.login} may not see`,
        'ask an administrator for it',
      )
    },
  )

  app.post(
    '/sites',
    {
      schema: {
        tags: ['district'],
        summary: 'Register a site (engineers and administrators of its area)',
        body: Site,
        response: { 201: Site, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const site = request.body
      const signedIn = signedInOf(request)
      requireRegister(signedIn, site.area)
      requireConsistent(await district.read(), { site })
      await registry.district.addSite(site)
      district.forget()
      await registry.audit.append({ at: now(), who: signedIn.person.login, action: 'site.add', subject: site.id, details: { site } })
      return reply.code(201).send(site)
    },
  )
}
