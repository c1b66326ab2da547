import type { Fault } from '#contract/fault.ts'
import { RECEIVED_FIELD } from './influx-fields.ts'
import type { Posted } from './influx-http.ts'
import { encodeLine, fieldsOf, type Line } from './line-protocol.ts'
import type { Sample, WriteOptions } from './port.ts'

export type Written =
  | { readonly kind: 'done'; readonly refused: readonly Sample[]; readonly reasons: readonly string[] }
  | { readonly kind: 'unavailable'; readonly cause: Fault }

type Post = (body: string) => Promise<Posted>
type How = WriteOptions & { readonly post: Post }

const NOTHING: Written = { kind: 'done', refused: [], reasons: [] }

/**
 * Writes lines and finds those samples that can never be taken, by asking again for less: InfluxDB names a field in conflict but not the points, drops a
 * whole point for one field, and in another shard may take the same field. Writing what was taken already once more is harmless.
 */
export async function writeLines(lines: readonly Line[], how: How): Promise<Written> {
  if (lines.length === 0) return NOTHING
  const posted = await how.post(lines.map((line) => encodeLine(line, how)).join('\n'))
  switch (posted.kind) {
    case 'kept':
      return NOTHING
    case 'unavailable':
      return posted
    case 'too-large':
      // Somebody's limit in between, not a verdict on the sample.
      return countOf(lines) === 1 ? { kind: 'unavailable', cause: posted.cause } : await writeParts(halves(lines), how)
    case 'refused': {
      const samples = lines.flatMap((line) => line.samples)
      const refused: Written = { kind: 'done', refused: samples, reasons: [posted.message] }
      if (samples.length === 1) return refused
      if (posted.dropped !== null && BEYOND_RETENTION.test(posted.message))
        return await withoutOldest(lines, { ...how, dropped: posted.dropped, reason: posted.message })
      const field = conflictIn(posted.message)
      if (field === undefined) return await writeParts(halves(lines), how)
      const [suspect, other] = partByField(lines, { field, rewrite: how.rewrite })
      if (other.length > 0 && suspect.length > 0) return await writeParts([other, suspect], how)
      return suspect.length > 0 && posted.dropped === lines.length ? refused : await writeParts(halves(lines), how)
    }
  }
}

const BEYOND_RETENTION = /beyond retention policy/

/** What lies beyond the retention is the oldest; the server says how many. The rest once more, for it may hold something else to refuse. */
async function withoutOldest(lines: readonly Line[], how: How & { readonly dropped: number; readonly reason: string }): Promise<Written> {
  const { dropped, reason } = how
  const byAge = lines.toSorted((a, b) => a.t - b.t)
  const rest = await writeLines(byAge.slice(dropped), how)
  if (rest.kind === 'unavailable') return rest
  const refused = byAge.slice(0, dropped).flatMap((line) => line.samples)
  return { kind: 'done', refused: [...refused, ...rest.refused], reasons: [...new Set([reason, ...rest.reasons])] }
}

async function writeParts(parts: readonly (readonly Line[])[], how: How): Promise<Written> {
  const refused: Sample[] = []
  const reasons = new Set<string>()
  for (const part of parts) {
    const written = await writeLines(part, how)
    if (written.kind === 'unavailable') return written
    refused.push(...written.refused)
    for (const reason of written.reasons) reasons.add(reason)
  }
  return { kind: 'done', refused, reasons: [...reasons] }
}

const countOf = (lines: readonly Line[]): number => lines.reduce((n, line) => n + line.samples.length, 0)

/** Two smaller sets of lines; of a single line two with some of its samples each. */
export function halves(lines: readonly Line[]): Line[][] {
  const [only, second] = lines
  if (!only) return []
  if (second) return [lines.slice(0, lines.length >> 1), lines.slice(lines.length >> 1)]
  const middle = only.samples.length >> 1
  return [[{ ...only, samples: only.samples.slice(0, middle) }], [{ ...only, samples: only.samples.slice(middle) }]]
}

/** The lines reduced to samples that write `field`, and reduced to those that don't. */
function partByField(lines: readonly Line[], { field, rewrite }: WriteOptions & { field: string }): [Line[], Line[]] {
  const writes = (s: Sample): boolean => field === RECEIVED_FIELD || fieldsOf(s, { rewrite }).includes(field)
  const reduced = (keep: (s: Sample) => boolean): Line[] =>
    lines.flatMap((line) => {
      const samples = line.samples.filter(keep)
      return samples.length > 0 ? [{ ...line, samples }] : []
    })
  return [reduced(writes), reduced((s) => !writes(s))]
}

function conflictIn(message: string): string | undefined {
  return /field type conflict: input field "(.*)" on measurement/.exec(message)?.[1]
}
