import { Type } from 'typebox'
import { alarmState } from '#contract/alarm.ts'
import { Fault } from '#contract/fault.ts'
import {
  Handover,
  HandoverList,
  NewHandover,
  NewShiftEntry,
  type OpenItem,
  OpenList,
  ShiftEntry,
  ShiftEntryList,
  ShiftEntryQuery,
} from '#contract/http/shift-log.ts'
import { PageQuery } from '#contract/http.ts'
import { type Reach, reaches, reachOf } from '#contract/may.ts'
import type { ShiftEntry as EntryRow, Handover as HandoverRow } from '#registry/shift-log.ts'
import type { App } from '../../../app.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import type { RouteContext } from '../../context.ts'
import { alarmReach, seesAlarm } from '../alarms/reach.ts'
import { visibleStructure } from '../gates/gate-of.ts'

const NumberedParams = Type.Object({ id: Type.Integer({ minimum: 1, maximum: 9_007_199_254_740_991 }) })
const ORDERS_LOOKED_AT = 500
const ENDED_ORDERS: readonly string[] = ['draft', 'closed', 'cancelled']

/** /api/v1/shift/… : the dispatchers' log and the handover of a shift. */
export function shiftRoutes(app: App, { registry, district, now }: RouteContext): void {
  const tags = ['shift']
  const { shiftLog } = registry
  const reachIn = (signedIn: SignedIn): Reach => reachOf(signedIn.person.grants, 'read')
  const areasOf = (reach: Reach): { areas?: readonly string[] } => (reach === 'district' ? {} : { areas: [...reach] })
  const sees = (reach: Reach, area: string | null): boolean =>
    area === null ? reach === 'district' || reach.size > 0 : reaches(reach, area)

  /** @throws Fault NOT_ALLOWED unless the person keeps the log of the area, or of any where it is null. */
  function requireKeeper({ person }: SignedIn, area: string | null): void {
    const reach = reachOf(person.grants, 'keep_log')
    if (area === null ? reach === 'district' || reach.size > 0 : reaches(reach, area)) return
    throw new Fault('NOT_ALLOWED', `${person.login} does not keep the log of ${area ?? 'the district'}`, 'ask a dispatcher of it')
  }
  async function entryFor(signedIn: SignedIn, id: number): Promise<EntryRow> {
    const entry = await shiftLog.entry(id)
    if (entry && sees(reachIn(signedIn), entry.area)) return entry
    throw new Fault('NOT_FOUND', `there is no entry ${id}`, 'GET /api/v1/shift/entries lists them')
  }

  /** What is not ended: entries to follow up, alarms, commands and orders under way, tags. */
  async function openNow(signedIn: SignedIn): Promise<OpenItem[]> {
    const reach = reachIn(signedIn)
    const at = now()
    const [entries, alarms, commands, tagged, orders, { structureById }] = await Promise.all([
      shiftLog.open(areasOf(reach)),
      registry.alarms.present(),
      registry.control.open(),
      registry.control.lockouts(at),
      registry.orders.list({ areas: reach === 'district' ? null : [...reach] }, { limit: ORDERS_LOOKED_AT, offset: 0 }),
      district.read(),
    ])
    const items: OpenItem[] = entries.map((e) => ({
      ...{ kind: 'entry', id: String(e.id), area: e.area, gate: e.gate, since: e.at, state: 'open', text: e.text },
    }))
    for (const alarm of alarms) {
      const state = alarmState(alarm, at)
      if (state === 'normal' || state === 'suppressed' || !seesAlarm(alarmReach(signedIn.person.grants), alarm.area)) continue
      const { id, area, gate } = alarm
      items.push({ kind: 'alarm', id, area, gate, since: alarm.raised_at ?? at, state, text: alarm.kind })
    }
    for (const { id, area, structure, selectedAt, state, action } of commands)
      if (reaches(reach, area)) items.push({ kind: 'command', id, area, gate: structure, since: selectedAt, state, text: action.kind })
    for (const { id, structure, at: since, reason } of tagged) {
      const area = structureById.get(structure)?.area ?? ''
      if (reaches(reach, area)) items.push({ kind: 'tag', id, area, gate: structure, since, state: 'tagged', text: reason })
    }
    for (const { id, area, structure, createdAt, state, reason } of orders.items)
      if (!ENDED_ORDERS.includes(state) && reaches(reach, area))
        items.push({ kind: 'order', id, area, gate: structure, since: createdAt, state, text: reason })
    return items
  }

  app.get(
    '/shift/entries',
    {
      schema: {
        tags,
        summary: 'The dispatchers’ log, newest first',
        querystring: ShiftEntryQuery,
        response: { 200: ShiftEntryList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { limit, offset, ...filter } = request.query
      const { items, total } = await shiftLog.entries({ ...filter, ...areasOf(reachIn(signedInOf(request))) }, { limit, offset })
      return { items: items.map(entryView), total, limit, offset }
    },
  )
  app.post(
    '/shift/entries',
    {
      schema: {
        tags,
        summary: 'Write into the log; a correction is a new entry that names the old one',
        body: NewShiftEntry,
        response: { 201: ShiftEntry, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const { text, gate = null, alarm = null, amends = null, open = false } = request.body
      const area = await areaOf(signedIn, request.body)
      requireKeeper(signedIn, area)
      if (amends !== null) await entryFor(signedIn, amends)
      const { login, name } = signedIn.person
      const entry = await shiftLog.write({ at: now(), by: login, byName: name, area, gate, alarm, text: text.trim(), amends, open })
      await registry.audit.append({ at: entry.at, who: login, action: 'shift.entry', subject: String(entry.id), details: { ...entry } })
      return reply.code(201).send(entryView(entry))
    },
  )
  /** An entry of a gate or an alarm is of its area. @throws Fault NOT_FOUND, NOT_ALLOWED */
  async function areaOf(signedIn: SignedIn, { area, gate, alarm }: Pick<NewShiftEntry, 'area' | 'gate' | 'alarm'>): Promise<string | null> {
    const read = await district.read()
    if (gate) return visibleStructure(read, signedIn, gate).area
    if (alarm) {
      const found = await registry.alarms.alarm(alarm)
      if (!found || !seesAlarm(alarmReach(signedIn.person.grants), found.area))
        throw new Fault('NOT_FOUND', `there is no alarm ${alarm}`, 'GET /api/v1/alarms lists them')
      return found.area
    }
    if (area && !read.areas.some((a) => a.id === area))
      throw new Fault('NOT_FOUND', `there is no area ${area}`, 'GET /api/v1/areas lists them')
    return area ?? null
  }
  app.post(
    '/shift/entries/:id/close',
    {
      schema: { tags, summary: 'What was to be followed up is done', params: NumberedParams, response: { 200: ShiftEntry, ...PROBLEMS } },
    },
    async (request) => {
      const signedIn = signedInOf(request)
      const { id } = request.params
      const entry = await entryFor(signedIn, id)
      requireKeeper(signedIn, entry.area)
      const { login } = signedIn.person
      const at = now()
      if (!(await shiftLog.close(id, { who: login, at }))) throw new Fault('CONFLICT', `entry ${id} is not open`, 'look again')
      await registry.audit.append({ at, who: login, action: 'shift.close', subject: String(id), details: {} })
      return entryView({ ...entry, closedAt: at, closedBy: login })
    },
  )
  app.get(
    '/shift/open',
    { schema: { tags, summary: 'What the next shift must know of', response: { 200: OpenList, ...PROBLEMS } } },
    async (request) => ({ at: now(), items: await openNow(signedInOf(request)) }),
  )
  app.get(
    '/shift/handovers',
    { schema: { tags, summary: 'Handovers, newest first', querystring: PageQuery, response: { 200: HandoverList, ...PROBLEMS } } },
    async (request) => {
      const { items, total } = await shiftLog.handovers(areasOf(reachIn(signedInOf(request))), request.query)
      return { items: items.map(handoverView), total, ...request.query }
    },
  )
  app.post(
    '/shift/handovers',
    {
      schema: {
        tags,
        summary: 'Give the shift over: what is open is kept as it is now',
        body: NewHandover,
        response: { 201: Handover, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const { note, area = null } = request.body
      requireKeeper(signedIn, area)
      const { login, name } = signedIn.person
      const items = (await openNow(signedIn)).filter((item) => area === null || item.area === null || item.area === area)
      const row = await shiftLog.handOver({ at: now(), by: login, byName: name, area, note: note.trim(), items })
      const details = { area, note: row.note, open: items.length }
      await registry.audit.append({ at: row.at, who: login, action: 'shift.hand_over', subject: String(row.id), details })
      return reply.code(201).send(handoverView(row))
    },
  )
  app.post(
    '/shift/handovers/:id/take',
    {
      schema: {
        tags,
        summary: 'Take the shift: somebody else than who gave it',
        params: NumberedParams,
        response: { 200: Handover, ...PROBLEMS },
      },
    },
    async (request) => {
      const signedIn = signedInOf(request)
      const { id } = request.params
      const row = await shiftLog.handover(id)
      if (!row || !sees(reachIn(signedIn), row.area))
        throw new Fault('NOT_FOUND', `there is no handover ${id}`, 'GET /api/v1/shift/handovers lists them')
      requireKeeper(signedIn, row.area)
      const { login, name } = signedIn.person
      if (row.by === login)
        throw new Fault('NOT_ALLOWED', 'who gives a shift over does not take it', 'the next dispatcher signs in and takes it')
      const at = now()
      if (!(await shiftLog.take(id, { who: login, name, at }))) throw new Fault('CONFLICT', 'it has been taken already', 'look again')
      await registry.audit.append({ at, who: login, action: 'shift.take', subject: String(id), details: { from: row.by } })
      return handoverView({ ...row, takenAt: at, takenBy: login, takenByName: name })
    },
  )
}

const entryView = ({ byName, closedAt, closedBy, open, ...entry }: EntryRow): ShiftEntry => ({
  ...entry,
  by_name: byName,
  open: open && closedAt === null,
  closed_at: closedAt,
  closed_by: closedBy,
})
const handoverView = ({ byName, takenAt, takenBy, takenByName, ...row }: HandoverRow): Handover => ({
  ...row,
  by_name: byName,
  taken_at: takenAt,
  taken_by: takenBy,
  taken_by_name: takenByName,
})
