import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import { Type } from 'typebox'
import { Problem } from '#contract/http.ts'
import type { App } from '../app.ts'

/** The description of the API and its page; what the page loads comes from this server. Register before the routes. */
export async function registerOpenapi(app: App): Promise<void> {
  app.addSchema(Problem)
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sluice',
        version: '1',
        description:
          'Telemetry of an irrigation district. Sign in by POST /api/v1/session; live values come by socket.io on the same address. Times are Unix milliseconds UTC.',
      },
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: 'sluice_session' },
          token: { type: 'http', scheme: 'bearer', description: 'A token made under Account: for all but people and the moving of gates' },
        },
      },
      security: [{ session: [] }, { token: [] }],
      tags: [
        { name: 'session', description: 'Who is signed in' },
        { name: 'account', description: 'Own password, second factor, sessions and tokens' },
        { name: 'people', description: 'Who may sign in, for administrators' },
        { name: 'district', description: 'Areas, canals, sites and gates' },
        { name: 'data', description: 'History, and what could not be understood' },
        { name: 'service', description: 'For those who run the server' },
      ],
    },
    transform: ({ schema, url }) => ({ schema: { ...schema, querystring: withOptionalDefaults(schema?.querystring) }, url }),
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => (typeof json['$id'] === 'string' ? json['$id'] : `def-${i}`) },
  })
  await app.register(fastifySwaggerUi, { routePrefix: '/api/docs', uiConfig: { docExpansion: 'list' }, theme: { title: 'Sluice API' } })
  app.get(
    '/api/openapi.json',
    {
      schema: {
        tags: ['service'],
        security: [],
        summary: 'This description, as OpenAPI 3.1',
        response: { 200: Type.Object({}, { additionalProperties: true, description: 'OpenAPI document' }) },
      },
    },
    async () => app.swagger() as Record<string, unknown>,
  )
}

/** A parameter with a default may be left out, though what a route is given always has it. */
function withOptionalDefaults(query: unknown): unknown {
  if (!Type.IsObject(query)) return query
  const required = Object.entries(query.properties).filter(([name, member]) => query.required?.includes(name) && !('default' in member))
  return { ...query, required: required.map(([name]) => name) }
}
