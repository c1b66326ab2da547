import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import { unixMs } from '#contract/units.ts'
import type { History } from '#history/port.ts'
import type { Registry } from '#registry/port.ts'
import { readSurroundings } from './alarms/instructions.ts'
import { AlarmKeeper } from './alarms/keeper.ts'
import { Births } from './births.ts'
import { Directory } from './directory.ts'
import { Group, type GroupStats } from './group.ts'
import { GroupLeases } from './group-leases.ts'
import type { BrokerAccess } from './host.ts'
import { Replay } from './replay.ts'
import type { IngestSettings } from './settings.ts'
import { Writer } from './writer.ts'

export type IngestDeps = { readonly broker: BrokerAccess; readonly history: History; readonly registry: Registry; readonly log: Logger }
export type IngestStats = ReturnType<Writer['stats']> & GroupStats
export type Ingest = { stats(): IngestStats; close(): Promise<void> }

const RETRY_MS = 1000

/**
 * Takes the groups' messages from the broker to live, history and receipts, as far as no other worker has them. Broker and history may come and go;
 * resolves when the registry has been read once (it waits for it), since without it no gate is known.
 */
export async function openIngest(settings: IngestSettings, deps: IngestDeps, signal?: AbortSignal): Promise<Ingest> {
  const { registry, history, log, broker } = deps
  const now = (): ReturnType<typeof unixMs> => unixMs(Date.now())
  const directory = new Directory({ registry, log, now })
  const births = new Births({ registry, log })
  const groups = new Map<string, Group>()
  const past: GroupStats = { messages: 0, undecodable: 0, liveOnly: 0 }
  const groupOf = (group: string): Group | undefined => groups.get(group) ?? groups.get('+')
  const leases = new GroupLeases({
    leases: registry.leases,
    settings,
    log,
    now: () => performance.now(),
    taken: async (group) => {
      await births.load()
      await alarms.load()
      if (group !== null) groups.set(group, Group.open({ ...ofGroups, log: log.child({ group }) }, group))
    },
    lost: async (group) => {
      alarms.release(group)
      if (group === null) return
      const known = groups.get(group)
      groups.delete(group)
      if (known) addStats(past, known.stats)
      await known?.close()
      births.forgetGroup(group)
    },
  })
  const alarms = new AlarmKeeper({
    registry: registry.alarms,
    directory,
    surroundings: () => readSurroundings(registry, now()),
    log,
    now,
    holds: (area) => leases.holds(area),
    isSure: () => leases.isSure,
  })
  const writer = new Writer({
    history,
    registry,
    settings,
    log,
    alarmsSettled: () => alarms.settled(),
    sendReceipts: (node, ids) => {
      groupOf(node.group)?.host.sendReceipts(node, ids, directory.siteKey(node.node))
    },
  })
  const ofGroups = { broker, settings, births, directory, writer, alarms, registry, now, isOurs: () => leases.isSure }
  await untilRead(() => directory.refresh(), { log, signal })
  await leases.start()

  const replay = new Replay({
    registry,
    history,
    refresh: () => directory.refresh(),
    reread: (letter) => groupOf(letter.group)?.reread(letter),
    log,
  })

  const refreshing = setInterval(() => {
    directory.refreshSoon()
    replay.soon()
    alarms.refreshSoon()
    births.save()
  }, settings.directory_refresh_ms)
  return {
    stats: () => {
      const all = { ...past }
      for (const group of groups.values()) addStats(all, group.stats)
      return { ...writer.stats(), ...all }
    },
    close: async () => {
      clearInterval(refreshing)
      await leases.rest()
      // The writer first: what it has just made durable is still receipted.
      await writer.close()
      await replay.close()
      await alarms.close()
      await Promise.all([...groups.values()].map((g) => g.close()))
      await leases.close()
    },
  }
}

function addStats(sum: GroupStats, more: GroupStats): void {
  sum.messages += more.messages
  sum.undecodable += more.undecodable
  sum.liveOnly += more.liveOnly
}

async function untilRead(read: () => Promise<void>, options: { log: Logger; signal: AbortSignal | undefined }): Promise<void> {
  for (let announced = false; ; ) {
    options.signal?.throwIfAborted()
    try {
      await read()
      return
    } catch (error) {
      if (!announced) options.log.warn({ error: messageOf(error) }, 'waiting for the registry')
      announced = true
      await sleep(RETRY_MS, undefined, options.signal ? { signal: options.signal } : {})
    }
  }
}
