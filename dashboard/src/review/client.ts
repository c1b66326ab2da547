import type {
  CalibrationReply,
  CorrectionList,
  CorrectionView,
  FlowExplained,
  FlowMethodList,
  ImportReport,
  ManualReadingList,
  ManualReadingView,
  NewCorrection,
  NewFlowMethod,
  Rederived,
} from '#contract/http/analysis.ts'
import type { LedgerReply } from '#contract/http/ledger.ts'
import type { ManualReading } from '#contract/manual-reading.ts'
import type { Read } from '../alarm/client.ts'

type Span = { readonly from: number; readonly to: number }
type Options = { readonly signal?: AbortSignal }

/** What analysts ask and rule of a gate's data, as functions. Each @throws RequestFailure */
export type ReviewClient = {
  /** Withdrawn rulings too. */
  corrections(gate: string, span: Span, options?: Options): Promise<CorrectionView[]>
  correct(gate: string, ruling: NewCorrection): Promise<CorrectionView>
  withdraw(id: number, why: string): Promise<CorrectionView>
  /** @param span at most 92 days */
  ledger(site: string, span: Span, options?: Options): Promise<LedgerReply>
  manualReadings(gate: string, span: Span, options?: Options): Promise<ManualReadingView[]>
  enter(readings: readonly ManualReading[]): Promise<ImportReport>
  enterCsv(csv: string): Promise<ImportReport>
  flowMethods(gate: string, options?: Options): Promise<FlowMethodList>
  setFlowMethod(gate: string, method: NewFlowMethod): Promise<void>
  /** @param span at most 92 days. @returns how many stored flows were derived anew */
  deriveAnew(gate: string, span: Span): Promise<number>
  explainFlow(gate: string, at: number, options?: Options): Promise<FlowExplained>
  calibration(gate: string, span: Span, options?: Options): Promise<CalibrationReply>
}

export function reviewClient(read: Read): ReviewClient {
  const post = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const of = (gate: string, what: string): string => `/gates/${encodeURIComponent(gate)}/${what}`
  const within = ({ from, to }: Span): string => `?from=${Math.round(from)}&to=${Math.round(to)}`
  return {
    corrections: async (gate, span, options = {}) =>
      (await read<CorrectionList>(`${of(gate, 'corrections')}${within(span)}`, options)).items,
    correct: (gate, ruling) => read(of(gate, 'corrections'), post(ruling)),
    withdraw: (id, why) => read(`/corrections/${id}/withdraw`, post({ why })),
    ledger: (site, span, options = {}) => read(`/sites/${encodeURIComponent(site)}/ledger${within(span)}`, options),
    manualReadings: async (gate, span, options = {}) =>
      (await read<ManualReadingList>(`${of(gate, 'manual-readings')}${within(span)}`, options)).items,
    enter: (readings) => read('/manual-readings', post({ readings })),
    enterCsv: (csv) => read('/manual-readings/csv', post({ csv })),
    flowMethods: (gate, options = {}) => read(of(gate, 'flow-methods'), options),
    setFlowMethod: async (gate, method) => void (await read(of(gate, 'flow-methods'), post(method))),
    deriveAnew: async (gate, span) => (await read<Rederived>(of(gate, 'derived-flow'), post(span))).derived,
    explainFlow: (gate, at, options = {}) => read(`${of(gate, 'flow')}?at=${Math.round(at)}`, options),
    calibration: (gate, span, options = {}) => read(`${of(gate, 'calibration')}${within(span)}`, options),
  }
}
