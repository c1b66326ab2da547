import { expect, test } from 'vitest'
import { unixMs } from '#contract/units.ts'
import { positionAt } from './gate-leaf.ts'
import { COOLING_MS, LeafDrive, LOCKED_MS, STARTS_PER_H } from './leaf-drive.ts'

const t0 = 1_750_000_000_000
const at = (seconds: number) => unixMs(t0 + seconds * 1000)
const still = { from_mm: 500, to_mm: 500, start: at(0), speed_mm_s: 5 }
const openingOf = (drive: LeafDrive, seconds: number): number => positionAt(drive.motion(still), at(seconds)).opening_mm
let sequence = 0
const goTo = (drive: LeafDrive, setpoint_mm: number, seconds: number) => {
  sequence += 1
  const leaf = { opening_mm: openingOf(drive, seconds), height_mm: 2000, speed_mm_s: 5, t: at(seconds) }
  return drive.take({ setpoint_mm, command: 4, sequence }, leaf)
}

test('a leaf that jams on the way stands where it was, its motor pushes until the relay trips, and only a later command moves it', () => {
  const drive = new LeafDrive()
  goTo(drive, 1000, 0)
  expect(drive.hold(drive.motion(still), at(20))).toMatchObject({ from_mm: 600, to_mm: 600 })
  expect(drive.hold(drive.motion(still), at(20))).toBeNull()
  expect(drive.pushing(at(21))).toBe('raising')
  expect(drive.isTripped(at(21))).toBe(false)
  const tripped = 20 + LOCKED_MS / 1000
  expect([drive.pushing(at(tripped)), drive.isTripped(at(tripped))]).toEqual(['still', true])
  drive.free()
  expect(openingOf(drive, 60)).toBe(600)
  goTo(drive, 1000, 60)
  expect(openingOf(drive, 100)).toBe(600)
  const cooled = tripped + COOLING_MS / 1000
  expect(drive.isTripped(at(cooled))).toBe(false)
  goTo(drive, 1000, cooled)
  expect(openingOf(drive, cooled + 10)).toBe(650)
})

test('a motor that is started against a jammed leaf trips, and one that is sent where the leaf stands does not start', () => {
  const drive = new LeafDrive()
  drive.hold(still, at(0))
  goTo(drive, 500, 1)
  expect(drive.isTripped(at(10))).toBe(false)
  goTo(drive, 200, 10)
  expect(drive.pushing(at(11))).toBe('lowering')
  expect(drive.isTripped(at(14))).toBe(true)
  expect(openingOf(drive, 500)).toBe(500)
})

test('a motor makes so many starts in an hour, and trips at the next', () => {
  const drive = new LeafDrive()
  for (let i = 0; i < STARTS_PER_H; i++) goTo(drive, i % 2 === 0 ? 510 : 500, 10 * i)
  const next = 10 * STARTS_PER_H
  expect(drive.isTripped(at(next))).toBe(false)
  const before = openingOf(drive, next)
  goTo(drive, 1500, next)
  expect(drive.isTripped(at(next))).toBe(true)
  expect(openingOf(drive, next + 60)).toBe(before)
  goTo(drive, 1500, next + 3600)
  expect(openingOf(drive, next + 3660)).toBe(before + 300)
})
