/** What an alarm was at a past moment, from what its journal tells. Pure: the API begins it and the browser goes on with it. */
import { type Alarm, type JournalEvent, ruleId } from './alarm.ts'

/** An entry of the journal, as far as it changes an alarm. */
export type AlarmEvent = {
  readonly alarm: string
  readonly occurrence: number
  readonly event: JournalEvent
  readonly at: number
  readonly who: string
  readonly note: string
  readonly value: number | null
  readonly until: number | null
}

/** Before its journal says anything of it. */
export const untold = (alarm: Pick<Alarm, 'id' | 'kind' | 'area' | 'site' | 'gate' | 'priority' | 'limit'>): Alarm => ({
  ...{ id: alarm.id, kind: alarm.kind, area: alarm.area, site: alarm.site, gate: alarm.gate, priority: alarm.priority, limit: alarm.limit },
  ...{ active: false, acknowledged: true, suppressed: false, occurrence: 0, raised_at: null, returned_at: null, value: null },
  ...{ acknowledged_by: null, acknowledged_at: null, shelved_until: null, shelved_by: null, shelve_reason: null, out_of_service: false },
  rev: 0,
})

/** The alarm after an event. Events come in the order of their times. */
export function afterEvent(alarm: Alarm, { event, occurrence, at, who, note, value, until }: AlarmEvent): Alarm {
  switch (event) {
    case 'raised':
      return { ...alarm, active: true, acknowledged: false, occurrence, raised_at: at, value, rev: alarm.rev + 1 }
    case 'returned':
      return { ...alarm, active: false, returned_at: at, rev: alarm.rev + 1 }
    case 'acknowledged':
      return { ...alarm, acknowledged: occurrence >= alarm.occurrence, acknowledged_by: who, acknowledged_at: at, rev: alarm.rev + 1 }
    case 'shelved':
      return { ...alarm, shelved_until: until, shelved_by: who, shelve_reason: note, rev: alarm.rev + 1 }
    case 'unshelved':
      return { ...alarm, shelved_until: null, shelved_by: null, shelve_reason: null, rev: alarm.rev + 1 }
    case 'out_of_service':
    case 'in_service':
      return { ...alarm, out_of_service: event === 'out_of_service', rev: alarm.rev + 1 }
    case 'historical':
    case 'commented':
    case 'rule_set':
      return alarm
  }
}

/** Was this site out of contact, as its alarm tells? That comes some seconds after the contact was lost. */
export const isSiteLost = (alarms: ReadonlyMap<string, Pick<Alarm, 'active'>>, site: string): boolean =>
  alarms.get(ruleId('site_lost', site))?.active ?? false

/** The silence of a lost site's gates is the site's alarm, not theirs: as ingest does it. */
export function withSuppression(alarms: ReadonlyMap<string, Alarm>): Alarm[] {
  return [...alarms.values()].map((alarm) =>
    alarm.kind === 'stale' && alarm.site !== null && isSiteLost(alarms, alarm.site) ? { ...alarm, suppressed: true } : alarm,
  )
}
