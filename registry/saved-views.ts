import { and, asc, eq } from 'drizzle-orm'
import type { UnixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import { savedViews } from './tables/saved-views.ts'

export type SavedView = { readonly id: string; readonly name: string; readonly address: string; readonly at: UnixMs }
export type SavedViews = {
  /** Under a name that the person has already, the new address takes the place of the old. @returns the view as it is kept. */
  put(person: string, view: SavedView): Promise<SavedView>
  /** A person's own, by name. */
  of(person: string): Promise<SavedView[]>
  /** @returns false when the person has no such view. */
  remove(person: string, id: string): Promise<boolean>
}

export function savedViewRepository(database: Database): SavedViews {
  return {
    put: async (person, view) => {
      const { address, at } = view
      const [row] = await database.query((db) =>
        db
          .insert(savedViews)
          .values({ person, ...view })
          .onConflictDoUpdate({ target: [savedViews.person, savedViews.name], set: { address, at } })
          .returning(),
      )
      if (!row) throw new Error('the view that was saved did not come back')
      return toView(row)
    },
    of: async (person) =>
      (await database.query((db) => db.select().from(savedViews).where(eq(savedViews.person, person)).orderBy(asc(savedViews.name)))).map(
        toView,
      ),
    remove: async (person, id) => {
      const gone = await database.query((db) =>
        db
          .delete(savedViews)
          .where(and(eq(savedViews.person, person), eq(savedViews.id, id)))
          .returning({ id: savedViews.id }),
      )
      return gone.length > 0
    },
  }
}

const toView = ({ id, name, address, at }: typeof savedViews.$inferSelect): SavedView => ({ id, name, address, at: at as UnixMs })
