import { MapSettingsReply } from '#contract/http/map.ts'
import type { App } from '../../app.ts'
import { PROBLEMS } from '../../problem.ts'
import type { RouteContext } from '../context.ts'

/** /api/v1/map: what lies behind the district's own drawing. */
export function mapRoutes(app: App, { settings }: RouteContext): void {
  app.get(
    '/map',
    { schema: { tags: ['district'], summary: 'Tile layers of the map, as configured', response: { 200: MapSettingsReply, ...PROBLEMS } } },
    () => ({ layers: settings.map.layers }),
  )
}
