import { expect, test } from 'vitest'
import type { DeviceProfile } from '#contract/profile.ts'
import { bad, good } from '#contract/reading.ts'
import type { BusReply } from './bus.ts'
import { readDevice, toDevice } from './device.ts'

const point = { space: 'holding', order: 'ABCD', scale: 1, offset: 0 } as const
const profile: DeviceProfile = {
  name: 'p',
  title: '',
  source: '',
  max_words: 125,
  points: [
    { ...point, metric: 'battery', address: 0, type: 'uint16', scale: 0.01 },
    { ...point, metric: 'mode', address: 10, type: 'uint16' },
    { ...point, metric: 'rssi', address: 20, type: 'int16' },
  ],
}
const device = toDevice({ structure: 's', unit: 1, leaves: 1 }, profile)

test('a block that the device refuses makes its own values BAD and no others', async () => {
  const read = async ({ address }: { address: number }): Promise<BusReply> =>
    address === 10 ? { kind: 'bad', reason: 'exception_illegal_address' } : { kind: 'words', words: [address === 0 ? 1263 : 65_461] }
  expect(await readDevice(device, read)).toEqual(
    new Map([
      ['battery', good(12.63)],
      ['mode', bad('exception_illegal_address')],
      ['rssi', good(-75)],
    ]),
  )
})

test('a silent device is asked once, and all its values are BAD with the reason', async () => {
  const asked: number[] = []
  const readings = await readDevice(device, async ({ address }) => {
    asked.push(address)
    return { kind: 'bad', reason: 'timeout' }
  })
  expect(asked).toEqual([0])
  expect([...readings]).toEqual(['battery', 'mode', 'rssi'].map((m) => [m, bad('timeout')]))
})
