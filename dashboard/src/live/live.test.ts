import { describe, expect, test } from 'vitest'
import { type ClockOffsets, offsetMs, withMessage } from './clock.ts'
import { isSilent, type Link, nextLink, noticeOf } from './link.ts'

const live: Link = { at: 'live', heard: 5000, news: 4000 }

describe('the link to the server', () => {
  test('is live from the full snapshot on, not from the connection on', () => {
    const opened: Link = { at: 'connecting', since: 0 }
    expect(nextLink(opened, { kind: 'heard', t: 1 })).toBe(opened)
    expect(nextLink(opened, { kind: 'news', t: 1 })).toBe(opened)
    expect(nextLink(opened, { kind: 'snapshot', t: 2 })).toEqual({ at: 'live', heard: 2, news: 2 })
  })
  test('that is lost tells since when the values are not live, and keeps to it until the next snapshot', () => {
    const lost = nextLink(live, { kind: 'lost' })
    expect(lost).toEqual({ at: 'lost', since: 5000 })
    expect(nextLink(lost, { kind: 'lost' })).toBe(lost)
    expect(nextLink(lost, { kind: 'news', t: 9000 })).toBe(lost)
    expect(nextLink(lost, { kind: 'heard', t: 9000 })).toBe(lost)
    expect(nextLink(lost, { kind: 'snapshot', t: 9000 }).at).toBe('live')
  })
  test('is doubted after a silence, and any packet ends the doubt', () => {
    expect(isSilent(live, 6200)).toBe(false)
    expect(isSilent(live, 6201)).toBe(true)
    expect(isSilent(nextLink(live, { kind: 'heard', t: 6400 }), 6501)).toBe(false)
  })
  test('on which no gate says anything is told, though the server answers', () => {
    const heard = nextLink(live, { kind: 'heard', t: 60_000 })
    expect(noticeOf(heard, { now: 60_000, quietMs: 15_000 })).toEqual({ kind: 'silent', since: 4000 })
    expect(noticeOf(heard, { now: 60_000, quietMs: 180_000 })).toEqual({ kind: 'none' })
    expect(noticeOf(heard, { now: 60_000, quietMs: undefined })).toEqual({ kind: 'none' })
  })
  test('that never came about is told after two seconds', () => {
    expect(noticeOf({ at: 'connecting', since: 0 }, { now: 2000, quietMs: undefined }).kind).toBe('none')
    expect(noticeOf({ at: 'connecting', since: 0 }, { now: 2001, quietMs: undefined }).kind).toBe('connecting')
  })
})

describe('the server’s clock', () => {
  const offsetAfter = (...offsets: number[]): number =>
    offsetMs(offsets.reduce<ClockOffsets>((known, offset) => withMessage(known, { at: 10_000 + offset, received: 10_000 }), []))
  test('is taken from the message that travelled fastest', () => {
    expect(offsetAfter()).toBe(0)
    expect(offsetAfter(-300, -20, -900)).toBe(-20)
  })
  test('is believed at once when somebody has set a clock', () => {
    expect(offsetAfter(-20, 3_600_000)).toBe(3_600_000)
    expect(offsetAfter(3_600_000, -20)).toBe(-20)
  })
})
