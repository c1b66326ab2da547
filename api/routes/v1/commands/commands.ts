import { Type } from 'typebox'
import type { Preset } from '#contract/command.ts'
import { Fault } from '#contract/fault.ts'
import { CommandList, CommandView, GateControl, SelectCommand, Selected } from '#contract/http/command.ts'
import { PageQuery } from '#contract/http.ts'
import { may } from '#contract/may.ts'
import type { CommandRow } from '#registry/control-port.ts'
import type { App } from '../../../app.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import { preview } from '../../../control/preview.ts'
import { canalHeld, taggedOut } from '../../../control/refusals.ts'
import { commandView, holdView, lockoutView } from '../../../control/view.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { gateOf, visibleStructure } from '../gates/gate-of.ts'
import { needsSecond, requireCommand } from './rights.ts'

/** Further ahead no preset is ordered. */
const PRESETS_AHEAD_MS = 60 * 86_400_000
/** What only the routes of their own make: a tag has its row, a stop its one click. */
const NOT_SELECTED = new Set(['tag', 'untag', 'stop'])

/** /api/v1/gates/:id/commands, /api/v1/gates/:id/control, /api/v1/gates/:id/stop, /api/v1/commands */
export function commandRoutes(app: App, { district, states, sites, registry, control, settings, now }: RouteContext): void {
  const tags = ['control']

  app.get(
    '/gates/:id/control',
    {
      schema: {
        tags,
        summary: 'How a gate is controlled now, read back from its agent',
        params: IdParams,
        response: { 200: GateControl, ...PROBLEMS },
      },
    },
    async (request) => {
      const read = await district.read()
      const signedIn = signedInOf(request)
      const structure = visibleStructure(read, signedIn, request.params.id)
      const [last, standing, lockouts, holds, available] = await Promise.all([
        registry.control.commands({ structure: structure.id }, { limit: 1, offset: 0 }),
        registry.control.standing(structure.id, now() - PRESETS_AHEAD_MS),
        registry.control.lockouts(now()),
        registry.control.holds(),
        control.isAvailable(structure.site),
      ])
      const [latest] = last.items
      const hold = holds.find((h) => h.canal === structure.canal)
      const { grants } = signedIn.person
      return {
        structure: structure.id,
        available,
        needs_second: needsSecond(
          structure,
          { kind: 'open', opening_m: 0, leaf: null },
          { canals: read.canals, settings: settings.control },
        ),
        needs_second_factor: lacksSecondFactor(signedIn),
        may: { command: may(grants, 'command', structure.area), lock_out: may(grants, 'lock_out', structure.area) },
        status: control.status(structure.id),
        lockouts: lockouts.filter((l) => l.structure === structure.id).map(lockoutView),
        hold: hold ? holdView(hold) : null,
        last: latest ? commandView(latest) : null,
        under_way: standing.underWay && commandView(standing.underWay),
        schedule: standing.schedule && commandView(standing.schedule),
      }
    },
  )

  app.post(
    '/gates/:id/commands',
    {
      schema: {
        tags,
        summary: 'Select a command: nothing is sent yet; the reply shows what it would do',
        params: IdParams,
        body: SelectCommand,
        response: { 201: Selected, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const read = await district.read()
      const signedIn = signedInOf(request)
      const structure = visibleStructure(read, signedIn, request.params.id)
      requireCommand(signedIn, structure.area)
      requireSecondFactor(signedIn)
      await requireHold(signedIn, structure.canal)
      const { action, order } = request.body
      if (NOT_SELECTED.has(action.kind))
        throw new Fault('BAD_REQUEST', `${action.kind} has a route of its own`, 'POST /gates/:id/stop or /gates/:id/lockouts')
      if (action.kind === 'schedule') requireSoundTimes(action.presets)
      const lockout = (await registry.control.lockouts(now())).find((l) => l.structure === structure.id)
      if (lockout) throw taggedOut(lockout)
      if (order !== undefined) await requireOrder(order, structure.id)
      const row = await control.select(structure, signedIn, {
        action,
        needsSecond: needsSecond(structure, action, { canals: read.canals, settings: settings.control }),
        order: order ?? null,
      })
      const mode = control.status(structure.id)?.mode.kind ?? 'manual'
      const shown = preview(structure, action, {
        gate: gateOf(structure, read, { states, sites }),
        now: now(),
        structures: read.structures,
        isAutomatic: mode !== 'manual',
      })
      return reply.code(201).send({ command: commandView(row), preview: shown })
    },
  )

  app.post(
    '/gates/:id/stop',
    { schema: { tags, summary: 'Stop every leaf of a gate, at once', params: IdParams, response: { 202: CommandView, ...PROBLEMS } } },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const structure = visibleStructure(await district.read(), signedIn, request.params.id)
      requireCommand(signedIn, structure.area)
      return reply.code(202).send(commandView(await control.atOnce(structure, signedIn, { kind: 'stop' })))
    },
  )

  app.post(
    '/commands/:id/confirm',
    {
      schema: {
        tags,
        summary: 'Confirm what was selected: it is sent, or waits for a second person',
        params: IdParams,
        response: { 202: CommandView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const row = await rowFor(signedIn, request.params.id)
      if (row.by !== signedIn.person.login || row.state !== 'selected')
        throw new Fault('SELECTION_OVER', 'this is not a selection of yours that can be confirmed', 'select again')
      requireSecondFactor(signedIn)
      const canal = await canalOf(row)
      if (!row.needsSecond) return reply.code(202).send(commandView(await control.send(row, { login: row.by, approvedBy: null, canal })))
      await requireHold(signedIn, canal)
      await control.await(row)
      return reply.code(202).send(commandView(await rowFor(signedIn, row.id)))
    },
  )

  app.post(
    '/commands/:id/approve',
    {
      schema: {
        tags,
        summary: 'Approve, as a second person on another session, what waits for it: it is sent',
        params: IdParams,
        response: { 202: CommandView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const row = await rowFor(signedIn, request.params.id)
      if (row.by === signedIn.person.login || row.session === signedIn.tokenHash) {
        throw new Fault('NOT_ALLOWED', 'who ordered it can not approve it', 'let another person sign in and approve')
      }
      if (row.state !== 'awaiting') throw new Fault('CONFLICT', 'this does not wait for an approval', 'look at the command again')
      requireSecondFactor(signedIn)
      const { login } = signedIn.person
      return reply.code(202).send(commandView(await control.send(row, { login, approvedBy: login, canal: await canalOf(row) })))
    },
  )

  app.post(
    '/commands/:id/cancel',
    { schema: { tags, summary: 'Cancel what has not been sent', params: IdParams, response: { 200: CommandView, ...PROBLEMS } } },
    async (request) => {
      const signedIn = signedInOf(request)
      const row = await rowFor(signedIn, request.params.id)
      if (!(await control.cancel(row, signedIn.person.login)))
        throw new Fault('CONFLICT', 'it has been sent, or is over', 'use stop for what moves')
      return commandView(await rowFor(signedIn, row.id))
    },
  )

  app.get(
    '/commands/:id',
    { schema: { tags, summary: 'One command', params: IdParams, response: { 200: CommandView, ...PROBLEMS } } },
    async (request) => commandView(await rowFor(signedInOf(request), request.params.id, 'read')),
  )

  app.get(
    '/commands',
    {
      schema: {
        tags,
        summary: 'Commands, newest first',
        querystring: Type.Object({ ...PageQuery.properties, gate: Type.Optional(Type.String({ maxLength: 64 })) }),
        response: { 200: CommandList, ...PROBLEMS },
      },
    },
    async (request) => {
      const signedIn = signedInOf(request)
      const { limit, offset, gate } = request.query
      if (gate !== undefined) visibleStructure(await district.read(), signedIn, gate)
      else if (!may(signedIn.person.grants, 'read', null))
        throw new Fault('NOT_ALLOWED', 'the list of all areas is for who may see all of them', 'name a gate')
      const { items, total } = await registry.control.commands(gate === undefined ? {} : { structure: gate }, { limit, offset })
      return { items: items.map(commandView), total, limit, offset }
    },
  )

  async function rowFor(signedIn: SignedIn, id: string, action: 'command' | 'read' = 'command'): Promise<CommandRow> {
    const row = await registry.control.command(id)
    if (!row || !may(signedIn.person.grants, 'read', row.area))
      throw new Fault('NOT_FOUND', 'there is no such command', 'look at the gate again')
    if (action === 'command') requireCommand(signedIn, row.area)
    return row
  }

  const lacksSecondFactor = ({ secondFactor }: SignedIn): boolean => settings.control.second_factor === 'required' && !secondFactor

  function requireSecondFactor(signedIn: SignedIn): void {
    if (!lacksSecondFactor(signedIn)) return
    throw new Fault(
      'SECOND_FACTOR_NEEDED',
      'only who signs in with a second factor may command',
      'set one up under your name, or sign in again with its code',
    )
  }

  function requireSoundTimes(presets: readonly Preset[]): void {
    const latest = now() + PRESETS_AHEAD_MS
    if (presets.some((p) => p.at > latest)) throw new Fault('BAD_REQUEST', 'a preset is more than 60 days ahead', 'choose an earlier time')
    if (new Set(presets.map((p) => p.at)).size < presets.length)
      throw new Fault('BAD_REQUEST', 'two presets have the same time', 'give each its own')
  }

  /** A command is linked to an order of its gate that has been received and not carried out yet. */
  async function requireOrder(id: string, structure: string): Promise<void> {
    const order = await registry.orders.order(id)
    if (order?.structure === structure && (order.state === 'received' || order.state === 'executing')) return
    throw new Fault('CONFLICT', 'this order is not one of the gate that waits to be carried out', 'look at the order again')
  }

  /** Where somebody holds the canal, only they move its gates. */
  async function requireHold({ person }: SignedIn, canal: string): Promise<void> {
    const hold = (await registry.control.holds()).find((h) => h.canal === canal)
    if (!hold || hold.login === person.login) return
    throw canalHeld(hold)
  }

  async function canalOf({ structure }: CommandRow): Promise<string> {
    const found = (await district.read()).structureById.get(structure)
    if (!found) throw new Fault('NOT_FOUND', `there is no gate ${structure}`, 'GET /api/v1/gates lists them')
    return found.canal
  }
}
