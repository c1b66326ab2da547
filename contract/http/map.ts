import { type Static, Type } from 'typebox'

/** Pictures behind the map, from a server that the district has chosen. */
export const MapLayer = Type.Object(
  {
    url: Type.String({ pattern: '^https?://[^/{}]+/', description: 'XYZ address of a tile, with {z}, {x} and {y}; the host is fixed' }),
    attribution: Type.String({ default: '', description: 'Whose picture it is; shown on the map' }),
  },
  { additionalProperties: false },
)
export const MapSettingsReply = Type.Object({
  layers: Type.Array(MapLayer, { description: 'From the lowest to the highest; empty: no picture' }),
})
export type MapSettingsReply = Static<typeof MapSettingsReply>
