import { type Static, Type } from 'typebox'

/** Views that a person has saved: an address within the dashboard, so that the view is all that a link to it would open. */
export const NewSavedView = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' }),
    address: Type.String({ minLength: 1, maxLength: 4000, pattern: '^/[^/\\\\]', description: 'Path and query within the dashboard' }),
  },
  { additionalProperties: false },
)
export type NewSavedView = Static<typeof NewSavedView>
export const SavedView = Type.Object({
  id: Type.String(),
  ...NewSavedView.properties,
  at: Type.Number({ description: 'ms since 1970 UTC' }),
})
export type SavedView = Static<typeof SavedView>
export const SavedViewList = Type.Object({ items: Type.Array(SavedView) })
export type SavedViewList = Static<typeof SavedViewList>
