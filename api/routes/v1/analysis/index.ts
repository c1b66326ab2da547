import type { App } from '../../../app.ts'
import type { RouteContext } from '../../context.ts'
import { correctionRoutes } from './corrections.ts'
import { flowMethodRoutes } from './flow-methods.ts'
import { ledgerRoutes } from './ledger.ts'
import { manualReadingRoutes } from './manual-readings.ts'
import { verdictRuleRoutes } from './verdict-rules.ts'

/** What analysts set, enter and rule. */
export function analysisRoutes(app: App, context: RouteContext): void {
  flowMethodRoutes(app, context)
  verdictRuleRoutes(app, context)
  correctionRoutes(app, context)
  manualReadingRoutes(app, context)
  ledgerRoutes(app, context)
}
