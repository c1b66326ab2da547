import { Site } from '#contract/district.ts'
import { PageQuery, SiteList } from '#contract/http.ts'
import type { App } from '../../app.ts'
import { reaches, reachOf } from '../../auth/may.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import { pageOf, type RouteContext } from '../context.ts'
import { requireConsistent, requireRegister } from './register.ts'

/** /api/v1/sites */
export function siteRoutes(app: App, { district, registry, now }: RouteContext): void {
  app.get(
    '/sites',
    {
      schema: {
        tags: ['district'],
        summary: 'The sites of the areas that the person may see',
        querystring: PageQuery,
        response: { 200: SiteList, ...PROBLEMS },
      },
    },
    async (request) => {
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      const { sites } = await district.read()
      return pageOf(
        sites.filter((s) => reaches(reach, s.area)),
        request.query,
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
