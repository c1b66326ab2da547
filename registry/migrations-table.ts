/** Where drizzle notes which migrations have run. In `public`: another schema would need a right that a plain role does not have. */
export const MIGRATIONS_SCHEMA = 'public'
export const MIGRATIONS_TABLE = 'migrations'
