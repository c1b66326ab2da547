import { TOKEN_SCOPES } from '#contract/http/access.ts'
import type { Say } from '../i18n/i18n.ts'

/** A token's scope in words; one that this page does not know, as it is. */
export function scopeText(scope: string, say: Say): string {
  const known = TOKEN_SCOPES.find((s) => s === scope)
  return known ? say(`account.scope.${known}`) : scope
}
