import { checkConfig } from '#edge-agent/commission/check.ts'
import { profilesBeside } from './edge-config.ts'
import { foundWanting, type Output } from './edge-output.ts'
import { readText } from './read-text.ts'

/** Exit code 1: the agent would not start. 2: it would, and something is suspicious and --strict was given. */
export async function runCheck(file: string, { strict }: { readonly strict?: boolean }, out: Output): Promise<void> {
  const result = checkConfig({ file, text: readText(file), env: process.env, profiles: await profilesBeside(file) })
  out.tell(result.kind === 'refused' ? result : { kind: result.kind, warnings: result.warnings })
  if (result.kind === 'refused') {
    for (const error of result.errors) out.say(`${out.warn('error')} ${error}`)
    out.say(`${result.errors.length} to correct; docs/settings.md lists every setting`)
    process.exitCode = 1
    return
  }
  for (const warning of result.warnings) out.say(`${out.warn('warning')} ${warning}`)
  const { buses } = result.settings
  const devices = buses.flatMap((b) => b.devices)
  const counted = `${buses.length} ${buses.length === 1 ? 'bus' : 'buses'}, ${devices.length} ${devices.length === 1 ? 'device' : 'devices'}`
  out.say(`${out.good('ok')} ${result.settings.site}: ${counted}, ${result.warnings.length} suspicious`)
  if (strict && result.warnings.length > 0) foundWanting()
}
