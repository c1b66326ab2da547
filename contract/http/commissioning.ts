import { type Static, Type } from 'typebox'
import { CommissioningRecord } from '../commissioning.ts'
import { paged } from '../http.ts'

export const CommissioningView = Type.Object({
  record: CommissioningRecord,
  received_at: Type.Number({ description: 'When the center had it, ms since 1970 UTC' }),
})
export const CommissioningList = paged(CommissioningView)
export type CommissioningList = Static<typeof CommissioningList>
