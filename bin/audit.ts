import type { Logger } from 'pino'
import { verifyChain } from '#registry/audit.ts'
import { openRegistry } from '#registry/open.ts'
import { folders } from './folders.ts'
import type { ServiceSettings } from './settings.ts'

/** `sluice audit verify`: ends with 1 when an entry was changed, is missing, or the end was cut off. */
export async function verifyAudit(settings: ServiceSettings, head: string | undefined, log: Logger): Promise<void> {
  const registry = await openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })
  try {
    const verdict = await verifyChain(registry.audit, head)
    if (verdict.kind === 'whole') {
      process.stdout.write(
        `the audit trail is whole: ${verdict.entries} entries, ${verdict.unchained} of before the chain\nhead ${verdict.head}\n`,
      )
    } else {
      process.stdout.write(`THE AUDIT TRAIL IS BROKEN at entry ${verdict.id}: ${verdict.what}\n`)
      process.exitCode = 1
    }
  } finally {
    await registry.close()
  }
}

/** `sluice audit export`: every entry as a line of JSON, oldest first, hashes included. */
export async function exportAudit(settings: ServiceSettings, log: Logger): Promise<void> {
  const registry = await openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })
  try {
    for (let rows = await registry.audit.after(0, 1000); rows.length > 0; rows = await registry.audit.after(rows.at(-1)?.id ?? 0, 1000)) {
      for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`)
    }
  } finally {
    await registry.close()
  }
}
