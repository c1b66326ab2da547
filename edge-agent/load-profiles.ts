import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseConfig } from '#contract/config.ts'
import { Fault } from '#contract/fault.ts'
import { DeviceProfile } from '#contract/profile.ts'

/** Reads every `*.yaml` of a folder. @returns profiles by name. @throws Fault PROFILE_INVALID, CONFIG_UNREADABLE */
export async function loadProfiles(folder: string): Promise<ReadonlyMap<string, DeviceProfile>> {
  const profiles = new Map<string, DeviceProfile>()
  for (const name of (await namesIn(folder)).filter((n) => n.endsWith('.yaml')).sort()) {
    const file = join(folder, name)
    const profile = parseConfig(DeviceProfile, { file, text: await readFile(file, 'utf8'), code: 'PROFILE_INVALID' })
    if (profiles.has(profile.name))
      throw new Fault('PROFILE_INVALID', `${file}: profile ${profile.name} stands twice`, 'rename one of the two')
    profiles.set(profile.name, profile)
  }
  return profiles
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    throw new Fault('CONFIG_UNREADABLE', `the profiles in ${folder} can't be read`, 'give the folder that holds the device profiles', {
      cause,
    })
  }
}
