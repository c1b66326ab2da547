import type { UnixMs } from '#contract/units.ts'
import type { SetVerdictRule } from '#contract/verdict-rule.ts'
import type { Database } from './database.ts'
import { verdictRules } from './tables/analysis.ts'

export type VerdictRules = {
  /** Takes the place of the rule that is there. */
  set(rule: SetVerdictRule, made: { by: string; at: UnixMs }): Promise<void>
  all(): Promise<(SetVerdictRule & { by: string; at: number })[]>
}

export function verdictRuleRepository(database: Database): VerdictRules {
  return {
    set: async ({ gate, metric, rule }, made) => {
      await database.query((db) =>
        db
          .insert(verdictRules)
          .values({ gate, metric, rule, ...made })
          .onConflictDoUpdate({ target: [verdictRules.gate, verdictRules.metric], set: { rule, ...made } }),
      )
    },
    all: () => database.query((db) => db.select().from(verdictRules).orderBy(verdictRules.gate, verdictRules.metric)),
  }
}
