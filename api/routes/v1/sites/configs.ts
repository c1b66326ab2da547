import { Type } from 'typebox'
import type { Site } from '#contract/district.ts'
import { Fault } from '#contract/fault.ts'
import { NewSiteConfig, SiteConfigAgain, SiteConfigList, SiteConfigText, SiteConfigView } from '#contract/http/site-config.ts'
import { PageQuery } from '#contract/http.ts'
import { may } from '#contract/may.ts'
import { TRIAL_S } from '#contract/site-config.ts'
import type { SiteConfigRow } from '#registry/site-configs.ts'
import type { App } from '../../../app.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'

const ConfigParams = Type.Object({ ...IdParams.properties, config: Type.String({ maxLength: 64 }) })

const viewOf = ({ id, version, hash, state, reason, trialS, by, why, madeAt, updatedAt }: SiteConfigRow): SiteConfigView => ({
  id,
  version,
  hash,
  state,
  reason,
  trial_s: trialS,
  by,
  why,
  made_at: madeAt,
  updated_at: updatedAt,
})

/** A configuration (contract/site-config.ts) in letters of up to three bytes, and what stands around it. */
const MOST_BODY_BYTES = 256 * 1024

/** /api/v1/sites/:id/configs */
export function siteConfigRoutes(app: App, { district, registry, configs }: RouteContext): void {
  async function siteOf(id: string, { person }: SignedIn): Promise<Site> {
    const site = (await district.read()).siteById.get(id)
    if (!site) throw new Fault('NOT_FOUND', `there is no site ${id}`, 'GET /api/v1/sites lists them')
    if (may(person.grants, 'configure_sites', site.area)) return site
    throw new Fault('NOT_ALLOWED', `${person.login} may not configure sites of area ${site.area}`, 'ask an engineer of it')
  }
  async function configOf(site: Site, id: string): Promise<SiteConfigRow> {
    const row = await registry.siteConfigs.get(id)
    if (row?.site === site.id) return row
    throw new Fault('NOT_FOUND', `site ${site.id} has no configuration ${id}`, `GET /api/v1/sites/${site.id}/configs lists them`)
  }

  app.get(
    '/sites/:id/configs',
    {
      schema: {
        tags: ['district'],
        summary: 'Versions of the site’s configuration, the newest first (engineers of its area)',
        params: IdParams,
        querystring: PageQuery,
        response: { 200: SiteConfigList, ...PROBLEMS },
      },
    },
    async (request) => {
      const site = await siteOf(request.params.id, signedInOf(request))
      const { items, total } = await registry.siteConfigs.list(site.id, request.query)
      return { items: items.map(viewOf), total, ...request.query }
    },
  )

  app.get(
    '/sites/:id/configs/:config',
    {
      schema: {
        tags: ['district'],
        summary: 'One version with its text (engineers of its area)',
        params: ConfigParams,
        response: { 200: SiteConfigText, ...PROBLEMS },
      },
    },
    async (request) => {
      const row = await configOf(await siteOf(request.params.id, signedInOf(request)), request.params.config)
      return { ...viewOf(row), text: row.text }
    },
  )

  app.post(
    '/sites/:id/configs',
    {
      bodyLimit: MOST_BODY_BYTES,
      schema: {
        tags: ['district'],
        summary: 'Send a configuration; the agent checks it, tries it and keeps it, refuses it or goes back (engineers of its area)',
        params: IdParams,
        body: NewSiteConfig,
        response: { 201: SiteConfigView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const site = await siteOf(request.params.id, signedIn)
      const { text, basis, why, trial_s = TRIAL_S.usual } = request.body
      const row = await configs.send(site, signedIn.person.login, { text, basis, why, trialS: trial_s })
      return reply.code(201).send(viewOf(row))
    },
  )

  app.post(
    '/sites/:id/configs/:config/again',
    {
      schema: {
        tags: ['district'],
        summary: 'Send an earlier version again, as a new one: the way back (engineers of its area)',
        params: ConfigParams,
        body: SiteConfigAgain,
        response: { 201: SiteConfigView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const site = await siteOf(request.params.id, signedIn)
      const { text } = await configOf(site, request.params.config)
      const { why, trial_s = TRIAL_S.usual } = request.body
      const row = await configs.send(site, signedIn.person.login, { text, basis: null, why, trialS: trial_s })
      return reply.code(201).send(viewOf(row))
    },
  )

  app.post(
    '/sites/:id/configs/read',
    {
      schema: {
        tags: ['district'],
        summary: 'Ask the agent for the text that it runs with; it appears among the versions (engineers of its area)',
        params: IdParams,
        response: { 202: Type.Object({}), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const site = await siteOf(request.params.id, signedInOf(request))
      await configs.askText(site)
      return reply.code(202).send({})
    },
  )
}
