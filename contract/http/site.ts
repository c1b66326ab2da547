import { type Static, Type } from 'typebox'
import { Site } from '../district.ts'
import { SiteState } from '../health.ts'
import { paged } from '../http.ts'

/** A site with its last state; `state` is null before anything has been received. */
export const SiteView = Type.Object({ ...Site.properties, state: Type.Union([SiteState, Type.Null()]) })
export type SiteView = Static<typeof SiteView>
export const SiteList = paged(SiteView)
export type SiteList = Static<typeof SiteList>
