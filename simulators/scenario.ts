import { readFile } from 'node:fs/promises'
import { type Static, Type } from 'typebox'
import { parseConfig } from '#contract/config.ts'
import { Fault, messageOf } from '#contract/fault.ts'
import { FAULT_KINDS, type FaultKind, type FaultOrder, parseOrder } from './faults/order.ts'

/** A course of faults as a file. */

export type Scenario = { readonly title: string; readonly faults: readonly FaultOrder[] }

const ScenarioFile = Type.Object(
  {
    title: Type.String({ minLength: 1, description: 'What happens, in a line' }),
    // The rest of a fault is checked by the schema of its kind.
    faults: Type.Array(Type.Object({ kind: Type.Unsafe<FaultKind>(Type.Enum([...FAULT_KINDS])) })),
  },
  { additionalProperties: false },
)

/** @throws Fault CONFIG_INVALID that names each mistake and its place. */
export function parseScenario({ text, file }: { readonly text: string; readonly file: string }): Scenario {
  const { title, faults }: Static<typeof ScenarioFile> = parseConfig(ScenarioFile, { text, file })
  return { title, faults: faults.map((f, i) => parseOrder(f, { place: `${file}: faults.${i}`, code: 'CONFIG_INVALID' })) }
}

/** @throws Fault CONFIG_UNREADABLE, or as {@link parseScenario}. */
export async function loadScenario(file: string): Promise<Scenario> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new Fault('CONFIG_UNREADABLE', `the scenario ${file} can't be read: ${messageOf(cause)}`, 'name a scenario file', { cause })
  }
  return parseScenario({ text, file })
}
