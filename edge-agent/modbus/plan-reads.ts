import { isBitSpace } from '#contract/profile.ts'
import type { Span } from './points.ts'

/** One Modbus request and the spans that its reply holds. */
export type Read = Span & { readonly spans: readonly Span[] }

export type BlockLimits = {
  /** Longest read that the device takes, in registers. */
  readonly maxWords: number
  /** Registers that nobody named and a read may pass over. */
  readonly maxGap: number
  /** Protocol addresses (0-based) that begin a zone which no read enters from before. */
  readonly borders: readonly number[]
}

/** MB §6.1: a read of coils or discrete inputs holds at most 2000 bits. */
const MAX_BITS = 2000

/**
 * Groups spans into reads. What no span names is passed over only as far as the device allows: many answer a block that holds an unknown register
 * with exception 2.
 * @returns reads in the order of space and address; every span is in exactly one.
 */
export function planReads(spans: readonly Span[], limits: BlockLimits): Read[] {
  const reads: { -readonly [K in keyof Span]: Span[K] }[] = []
  const members: Span[][] = []
  const sorted = spans.toSorted((a, b) => a.space.localeCompare(b.space) || a.address - b.address || a.words - b.words)
  for (const span of sorted) {
    const last = reads.at(-1)
    const end = span.address + span.words
    if (last && last.space === span.space && fits(last, span, limits)) {
      last.words = Math.max(last.words, end - last.address)
      members.at(-1)?.push(span)
    } else {
      reads.push({ space: span.space, address: span.address, words: span.words })
      members.push([span])
    }
  }
  return reads.map((read, i) => ({ ...read, spans: members[i] ?? [] }))
}

function fits(read: Span, span: Span, { maxWords, maxGap, borders }: BlockLimits): boolean {
  const longest = isBitSpace(span.space) ? Math.min(MAX_BITS, maxWords * 16) : maxWords
  const end = span.address + span.words
  if (span.address > read.address + read.words + maxGap || end - read.address > longest) return false
  return !borders.some((border) => read.address < border && border < Math.max(end, read.address + read.words))
}

/**
 * Two reads for one that the device refused: at its widest gap, else in the middle.
 * @returns null for a read of a single span, which can't be made any smaller.
 */
export function splitRead({ spans }: Read): [Read, Read] | null {
  const starts = spans.flatMap((span, i) => {
    const before = spans.slice(0, i)
    const reached = Math.max(...before.map((s) => s.address + s.words))
    // Spans that share a register stay together.
    return i > 0 && span.address >= reached ? [{ i, gap: span.address - reached, off: Math.abs(i - spans.length / 2) }] : []
  })
  const [at] = starts.toSorted((a, b) => b.gap - a.gap || a.off - b.off)
  return at ? [readOf(spans.slice(0, at.i)), readOf(spans.slice(at.i))] : null
}

function readOf(spans: readonly Span[]): Read {
  const address = Math.min(...spans.map((s) => s.address))
  const end = Math.max(...spans.map((s) => s.address + s.words))
  return { space: spans[0]?.space ?? 'holding', address, words: end - address, spans }
}
