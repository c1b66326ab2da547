import type { FeatureCollection } from 'geojson'
import { AttributionControl, type GeoJSONSource, Map as GlMap, ScaleControl, type StyleSpecification, setWorkerUrl } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import type { MapSettingsReply } from '#contract/http/map.ts'
import type { Palette } from '../schematic/palette.ts'
import { pictureOf } from './marks.ts'

// From this server, so that the content security policy need not let scripts in from blobs.
setWorkerUrl(workerUrl)

type Bounds = [[number, number], [number, number]]
export type DistrictMap = {
  /** New lines and points take the place of the old. */
  show(canals: FeatureCollection, gates: FeatureCollection): void
  whole(): void
  fly(lon: number, lat: number): void
  close(): void
}
type Options = {
  readonly container: HTMLElement
  readonly palette: Palette
  readonly layers: MapSettingsReply['layers']
  readonly bounds: Bounds | undefined
  readonly open: (gate: string) => void
  readonly label: string
}

const NOTHING: FeatureCollection = { type: 'FeatureCollection', features: [] }
const CLOSE_ZOOM = 11
/** Names stand on the right of their structures. */
const PADDING_PX = { top: 40, bottom: 50, left: 50, right: 190 }

/** The map of the district. @throws where the browser has no WebGL. */
export function openDistrictMap({ container, palette, layers, bounds, open, label }: Options): DistrictMap {
  const ratio = Math.min(3, Math.max(1, window.devicePixelRatio))
  const map = new GlMap({
    container,
    style: styleOf(palette, layers),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
    ...(bounds ? { bounds, fitBoundsOptions: { padding: PADDING_PX } } : {}),
  })
  map.touchZoomRotate.disableRotation()
  map.keyboard.disableRotation()
  map.getCanvas().setAttribute('aria-label', label)
  map.addControl(new ScaleControl({ unit: 'metric' }), 'bottom-left')
  if (layers.some((l) => l.attribution !== '')) map.addControl(new AttributionControl({ compact: false }), 'bottom-right')
  map.on('click', 'gates', ({ features }) => {
    const id: unknown = features?.[0]?.properties['id']
    if (typeof id === 'string') open(id)
  })
  for (const [event, cursor] of [
    ['mouseenter', 'pointer'],
    ['mouseleave', ''],
  ] as const)
    map.on(event, 'gates', () => {
      map.getCanvas().style.cursor = cursor
    })

  /** Before the points that name them: what is added while tiles are being made is in none of those until something of them changes. */
  const addPictures = ({ features }: FeatureCollection): void => {
    for (const { properties } of features)
      for (const id of [properties?.['mark'], properties?.['label']]) {
        if (typeof id !== 'string' || map.hasImage(id)) continue
        const picture = pictureOf(id, palette, ratio)
        if (picture) map.addImage(id, picture, { pixelRatio: ratio })
      }
  }
  let shown: readonly [FeatureCollection, FeatureCollection] | undefined
  let isLoaded = false
  const put = (): void => {
    if (!shown || !isLoaded) return
    addPictures(shown[1])
    map.getSource<GeoJSONSource>('canals')?.setData(shown[0])
    map.getSource<GeoJSONSource>('gates')?.setData(shown[1])
  }
  // Not `load`: that waits for the pictures, and of a tile server that does not answer none ever comes.
  map.once('style.load', () => {
    isLoaded = true
    put()
    container.dataset['ready'] = 'true'
  })
  const countDrawn = (): void => {
    const drawn = map.queryRenderedFeatures({ layers: ['gates'] }).map(({ properties }) => properties['id'] as unknown)
    container.dataset['drawn'] = String(new Set(drawn).size)
  }
  map.on('idle', countDrawn)
  map.on('sourcedata', ({ sourceId, isSourceLoaded }) => {
    if (sourceId === 'gates' && isSourceLoaded) map.once('render', countDrawn)
  })
  return {
    show: (canals, gates) => {
      shown = [canals, gates]
      put()
    },
    whole: () => void (bounds && map.fitBounds(bounds, { padding: PADDING_PX })),
    fly: (lon, lat) => void map.easeTo({ center: [lon, lat], zoom: Math.max(map.getZoom(), CLOSE_ZOOM), duration: 300 }),
    close: () => map.remove(),
  }
}

function styleOf(palette: Palette, layers: MapSettingsReply['layers']): StyleSpecification {
  return {
    version: 8,
    sources: {
      ...Object.fromEntries(
        layers.map(({ url, attribution }, i) => [`tiles-${i}`, { type: 'raster', tiles: [url], tileSize: 256, attribution }] as const),
      ),
      canals: { type: 'geojson', data: NOTHING },
      gates: { type: 'geojson', data: NOTHING },
    },
    layers: [
      { id: 'ground', type: 'background', paint: { 'background-color': palette.ground } },
      ...layers.map((_, i) => ({ id: `tiles-${i}`, type: 'raster', source: `tiles-${i}`, paint: { 'raster-saturation': -0.6 } }) as const),
      {
        id: 'canals',
        type: 'line',
        source: 'canals',
        layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: {
          'line-color': palette.waterLine,
          'line-width': ['interpolate', ['linear'], ['get', 'flow'], 0, 1.2, 50, 2, 600, 5],
        },
      },
      {
        id: 'gates',
        type: 'symbol',
        source: 'gates',
        layout: { 'icon-image': ['get', 'mark'], 'icon-allow-overlap': true, 'symbol-sort-key': ['-', 0, ['get', 'rank']] },
      },
      {
        id: 'labels',
        type: 'symbol',
        source: 'gates',
        layout: {
          'icon-image': ['get', 'label'],
          'icon-anchor': 'left',
          'icon-offset': [11, 0],
          'symbol-sort-key': ['get', 'rank'],
        },
      },
    ],
  }
}
