import { bigint, index, json, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { people } from '../schema.ts'

const ms = (name: string) => bigint(name, { mode: 'number' })
const ofPerson = () => text('person').references(() => people.id, { onDelete: 'cascade' })

/** What programs sign in with, in a person's name and never with more rights than that person has. */
export const apiTokens = pgTable(
  'api_tokens',
  {
    id: text('id').primaryKey(),
    tokenHash: text('token_hash').notNull().unique(),
    person: ofPerson().notNull(),
    name: text('name').notNull(),
    scopes: json('scopes').$type<string[]>().notNull(),
    /** Null: wherever the person may. */
    area: text('area'),
    createdAt: ms('created_at').notNull(),
    expiresAt: ms('expires_at').notNull(),
    usedAt: ms('used_at'),
  },
  // The audit trail names a token by person and name.
  (t) => [uniqueIndex('api_tokens_name').on(t.person, t.name)],
)

export const secondFactors = pgTable('second_factors', {
  person: ofPerson().primaryKey(),
  /** Base32; needed in clear to check a code. Null before the first one is confirmed. */
  secret: text('secret'),
  confirmedAt: ms('confirmed_at'),
  /** The last 30 s step whose code was used: none is taken twice. */
  lastStep: ms('last_step').notNull().default(0),
  /** Shown to the person and not confirmed yet; the one in force stays until then. */
  pending: text('pending'),
  pendingAt: ms('pending_at'),
})

/** What stands in for a lost phone, each once. Random of 80 bits, so a plain SHA-256 hides it. */
export const recoveryCodes = pgTable(
  'recovery_codes',
  {
    codeHash: text('code_hash').primaryKey(),
    person: ofPerson().notNull(),
    usedAt: ms('used_at'),
  },
  (t) => [index('recovery_codes_person').on(t.person)],
)
