import type { Command } from 'commander'
import { parseConfig } from '#contract/config.ts'
import { openLog } from './log.ts'
import { readText } from './read-text.ts'
import { ServiceSettings } from './settings.ts'

const settingsIn = (file: string): ServiceSettings => parseConfig(ServiceSettings, { file, text: readText(file), env: process.env })

const configured = (command: Command): Command =>
  command.requiredOption('-c, --config <file>', 'YAML file; docs/settings.md lists what may stand in it')

/** Keys, access to the broker, and the audit trail. */
export function addAccessCommands(program: Command): void {
  const key = program.command('key').description('the key that signs commands')
  key
    .command('make')
    .description('make one in a file that only you may read, if it is not there; shows its public half')
    .requiredOption('-f, --file <file>', 'PEM file')
    .action(async ({ file }: { file: string }) => (await import('./access.ts')).makeKey(file))

  const access = program.command('access').description('keys and MQTT credentials of sites, and the broker’s list of them')
  configured(access.command('site <id>').description('make the keys and credentials of a registered site, in one step; older ones end'))
    .requiredOption('-o, --out <file>', 'file for the agent’s settings that hold them')
    .option('--mqtt <url>', 'broker as the agent reaches it', 'mqtts://127.0.0.1:8883')
    .action(async (site: string, { config, out, mqtt }: { config: string; out: string; mqtt: string }) => {
      const settings = settingsIn(config)
      await (await import('./access.ts')).provisionSite(settings, { site, out, mqtt }, openLog(settings.log.level))
    })
  configured(access.command('revoke <id>').description('end the keys and credentials of a site')).action(
    async (site: string, { config }: { config: string }) => {
      const settings = settingsIn(config)
      await (await import('./access.ts')).revokeSite(settings, site, openLog(settings.log.level))
    },
  )
  configured(access.command('files').description('write the broker’s access list and passwords, for Mosquitto and for the embedded broker'))
    .requiredOption('-o, --out <folder>', 'folder that only the broker and you may read')
    .action(async ({ config, out }: { config: string; out: string }) => {
      const settings = settingsIn(config)
      await (await import('./access.ts')).writeAccessFiles(settings, out, openLog(settings.log.level))
    })

  const audit = program.command('audit').description('the trail of what was done')
  configured(audit.command('verify').description('check that no entry was changed or removed'))
    .option('--head <hash>', 'the last hash, as it was shown and kept elsewhere: it must still be there')
    .action(async ({ config, head }: { config: string; head?: string }) => {
      const settings = settingsIn(config)
      await (await import('./audit.ts')).verifyAudit(settings, head, openLog(settings.log.level))
    })
  configured(audit.command('export').description('every entry as a line of JSON')).action(async ({ config }: { config: string }) => {
    const settings = settingsIn(config)
    await (await import('./audit.ts')).exportAudit(settings, openLog(settings.log.level))
  })
}
