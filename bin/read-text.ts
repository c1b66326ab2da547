import { readFileSync } from 'node:fs'
import { Fault, messageOf } from '#contract/fault.ts'

/** @throws Fault CONFIG_UNREADABLE */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Fault('CONFIG_UNREADABLE', `the configuration ${file} can't be read: ${messageOf(cause)}`, 'name a file with --config', {
      cause,
    })
  }
}
