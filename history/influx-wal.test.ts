import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { tempFolder } from '#test/support/servers.ts'
import { openSmallDisk } from '#test/support/small-disk.ts'
import { mendWal } from './influx-wal.ts'

const folder = tempFolder('influx-wal')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const entry = (type: number, length: number): Buffer => {
  const bytes = Buffer.alloc(5 + length, 0xab)
  bytes.writeUInt8(type)
  bytes.writeUInt32BE(length, 1)
  return bytes
}
const logOf = (name: string, ...parts: Buffer[]): string => {
  const file = join(folder, name, 'sluice', 'autogen', '7', '_00003.wal')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, Buffer.concat(parts))
  return file
}
const [write, remove, range] = [entry(1, 300), entry(2, 0), entry(3, 70_000)]

test('a log that is whole is not touched', () => {
  const file = logOf('whole', write, remove, range)
  const before = statSync(file, { bigint: true }).mtimeNs
  expect(mendWal(join(folder, 'whole'))).toEqual([])
  expect(statSync(file, { bigint: true }).mtimeNs).toBe(before)
  logOf('empty')
  expect(mendWal(join(folder, 'empty'))).toEqual([])
})

test('half an entry at the end goes, wherever it was cut', () => {
  for (const cut of [1, 4, 5, 6, 304]) {
    const file = logOf('half', write, range, write.subarray(0, cut))
    chmodSync(file, 0o640)
    expect(mendWal(join(folder, 'half'))).toEqual([{ file, half_bytes: cut, hole_bytes: 0 }])
    expect(readFileSync(file).equals(Buffer.concat([write, range]))).toBe(true)
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(mendWal(join(folder, 'half'))).toEqual([])
  }
})

test('a hole goes, and what stands behind it stays', () => {
  const file = logOf('hole', write, Buffer.alloc(41), range, write, Buffer.alloc(9))
  expect(mendWal(join(folder, 'hole'))).toEqual([{ file, half_bytes: 0, hole_bytes: 50 }])
  expect(readFileSync(file).equals(Buffer.concat([write, range, write]))).toBe(true)
})

test('a file that is no such log is left as it is, and so is a folder that is not there', () => {
  const file = logOf('other', write, Buffer.from('something else'))
  const before = readFileSync(file)
  expect(() => mendWal(join(folder, 'other'))).toThrow(/_00003.wal has no entry at byte 305/)
  expect(readFileSync(file).equals(before)).toBe(true)
  expect(() => mendWal(join(folder, 'nowhere'))).toThrow(/can't be read/)
})

test('a log that a process holds open is not touched: what it writes at this moment looks like half an entry', () => {
  const file = logOf('used', write, write.subarray(0, 9))
  const fd = openSync(file, 'a')
  expect(() => mendWal(join(folder, 'used'))).toThrow(new RegExp(`process ${process.pid} holds .*_00003.wal open`))
  expect(statSync(file).size).toBe(write.length + 9)
  closeSync(fd)
  expect(mendWal(join(folder, 'used'))).toHaveLength(1)
})

const disk = openSmallDisk('influx-wal-full', '1m')
afterAll(() => disk?.remove())
test.skipIf(!disk)('on a disk that is still full half an entry goes all the same, and a log with a hole stays as it is', () => {
  const wal = disk?.folder ?? ''
  const [half, hole] = [join(wal, '_00001.wal'), join(wal, '_00002.wal')]
  writeFileSync(half, Buffer.concat([range, write.subarray(0, 100)]))
  writeFileSync(hole, Buffer.concat([range, Buffer.alloc(70_000), range]))
  const { bavail, bsize } = statfsSync(wal)
  writeFileSync(join(wal, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - 20_000)))
  const before = readFileSync(hole)
  expect(() => mendWal(wal)).toThrow(/no room to mend .*_00002.wal/)
  expect(readFileSync(half).equals(range)).toBe(true)
  expect(readFileSync(hole).equals(before)).toBe(true)
  expect(existsSync(`${hole}.mended`)).toBe(false)
})
