import { expect, test } from 'vitest'
import { csvText } from './csv-text.ts'

const bytes = (...all: number[]): ArrayBuffer => new Uint8Array(all).buffer

test('a CSV is read whether it was saved in UTF-8 or by a Chinese Excel', () => {
  expect(csvText(new TextEncoder().encode('闸门,数值').buffer)).toBe('闸门,数值')
  expect(csvText(bytes(0xd5, 0xa2, 0xc3, 0xc5, 0x2c, 0xca, 0xfd, 0xd6, 0xb5))).toBe('闸门,数值')
})
