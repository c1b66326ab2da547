import { stringify } from 'yaml'
import { parseConfig } from '#contract/config.ts'
import { DeviceProfile } from '#contract/profile.ts'

/** A profile for a test, read as a file would be; what is left out has its default. */
export function profileOf(parts: Record<string, unknown>): DeviceProfile {
  const text = stringify({ name: 'p', title: 't', source: 's', points: [], ...parts })
  return parseConfig(DeviceProfile, { text, file: 'p.yaml', code: 'PROFILE_INVALID' })
}
