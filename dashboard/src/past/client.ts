import type { Consultation, ConsultationList, NewConsultation } from '#contract/http/consultation.ts'
import type { Past, PastMarks } from '#contract/http/past.ts'
import type { Read } from '../alarm/client.ts'
import type { StretchAsk } from './pace.ts'

/** The server's `/api/v1/past` and `/api/v1/consultations` as functions. Each @throws RequestFailure */
export type PastClient = {
  stretch(ask: StretchAsk, options?: { readonly signal?: AbortSignal }): Promise<Past>
  marks(span: { readonly from: number; readonly to: number }): Promise<PastMarks['items']>
  consultations(page: { readonly limit: number; readonly offset: number }): Promise<ConsultationList>
  record(consultation: NewConsultation): Promise<Consultation>
}

const queryOf = (ask: Readonly<Record<string, number>>): string =>
  new URLSearchParams(Object.entries(ask).map(([key, value]) => [key, String(Math.round(value))])).toString()

export function pastClient(read: Read): PastClient {
  return {
    stretch: (ask, options = {}) => read(`/past?${queryOf(ask)}`, options),
    marks: async (span) => (await read<PastMarks>(`/past/marks?${queryOf(span)}`)).items,
    consultations: (page) => read(`/consultations?${queryOf(page)}`),
    record: (consultation) =>
      read('/consultations', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(consultation),
      }),
  }
}
