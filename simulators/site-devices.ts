import type { UnixMs } from '#contract/units.ts'
import { breakAnswer } from './faults/break-answer.ts'
import { DISTORTING, distortProfile, distortState } from './faults/distort.ts'
import type { FaultKind } from './faults/order.ts'
import { type Faults, ofKind, type PlannedFault } from './faults.ts'
import { ModbusException } from './modbus-exception.ts'
import type { Frame } from './modbus-frame.ts'
import { exceptionReply, parseRequest, readReply, writeReply } from './modbus-request.ts'
import type { Answer, Session } from './modbus-server.ts'
import type { Jam, ServedDevice } from './served-device.ts'
import type { ServedRead } from './truth.ts'
import type { Wire } from './wire.ts'

/** The devices on one site's bus, with whatever is wrong with them. */

export type SiteDevices = {
  readonly site: string
  readonly wire: Wire
  /** Unit 1, 2, … */
  readonly units: readonly { readonly structure: string; readonly device: ServedDevice }[]
  readonly faults: Faults
  readonly now: () => UnixMs
  readonly served: (read: ServedRead) => void
}

/** The answer's PDU, and for a read what it tells. */
type Outcome = { readonly pdu: Buffer; readonly read: Omit<ServedRead, 't'> | null }

/** @returns what answers on a connection that is made now. */
export function connectTo(devices: SiteDevices): Session {
  const connected = devices.now()
  let previous: Buffer | null = null
  return (request) => {
    const t = devices.now()
    // On a line, who is not there says nothing; a TCP gateway says so.
    if (devices.wire.kind === 'rtu' && !devices.units[request.unit - 1]) return { kind: 'silence' }
    const place = { site: devices.site, unit: request.unit }
    const faults = devices.faults.strike(place, t)
    const withhold = (by: FaultKind): void => {
      const { read } = answerTo(devices, request, { t, faults, only: 'reads' })
      if (read) devices.served({ ...read, t, corrupted: by })
    }
    if (devices.faults.rebootedSince(place, { connected, t })) {
      withhold('reboot')
      return { kind: 'hang-up' }
    }
    const [silent] = ofKind(faults, 'reboot', 'no_answer')
    if (silent) {
      withhold(silent.order.kind)
      return { kind: 'silence' }
    }
    const [refused] = ofKind(faults, 'exception')
    if (refused) withhold(refused.order.kind)
    const outcome = refused
      ? { pdu: exceptionReply(request.pdu, refused.order.code), read: null }
      : answerTo(devices, request, { t, faults, only: 'all' })
    const answer = { ...request, pdu: outcome.pdu }
    const sent = sendTo(devices, answer, { outcome, faults, previous })
    previous = devices.wire.encode(answer)
    return sent
  }
}

function sendTo(
  devices: SiteDevices,
  answer: Frame,
  { outcome: { read }, faults, previous }: { outcome: Outcome; faults: readonly PlannedFault[]; previous: Buffer | null },
): Answer {
  const { corrupted, ...bytes } = breakAnswer(answer, faults, { previous, wire: devices.wire })
  return {
    kind: 'send',
    ...bytes,
    leaving: (client) => {
      if (!read) return
      const by = corrupted ?? (client === 'gone' ? 'client_gone' : null)
      devices.served({ ...read, t: devices.now(), ...(by && { corrupted: by }) })
    },
  }
}

const jamOf = ({ order, from }: PlannedFault<'jammed_leaf' | 'iced_gate'>): Jam =>
  order.kind === 'jammed_leaf' && order.leaf !== undefined ? { leaf: order.leaf - 1, from } : { from }

type Circumstances = { readonly t: UnixMs; readonly faults: readonly PlannedFault[]; readonly only: 'reads' | 'all' }

function answerTo(devices: SiteDevices, { unit, pdu }: Frame, { t, faults, only }: Circumstances): Outcome {
  try {
    const device = devices.units[unit - 1]
    const request = parseRequest(pdu)
    device?.device.hold(ofKind(faults, 'jammed_leaf', 'iced_gate').map(jamOf), t)
    if (!device) throw new ModbusException('noSuchUnit', `site ${devices.site} has no unit ${unit}`)
    if (request.kind === 'write') {
      if (only === 'all') device.device.write(request.address, request.words, t)
      return { pdu: writeReply(request), read: null }
    }
    const { wells } = devices.faults
    const shown = { t, stateAt: device.device.state, wells, device: `${devices.site} ${unit}` }
    const wordsWith = (some: readonly PlannedFault[]): readonly number[] =>
      device.device.words(distortState(some, shown), distortProfile(device.device.profile, some), request)
    const words = wordsWith(faults)
    const values = ofKind(faults, ...DISTORTING)
    const plain = values.length > 0 ? wordsWith([]) : words
    const distorted = values.filter((f) => wordsWith([f]).some((word, i) => word !== plain[i])).map((f) => f.order.kind)
    const { fc, address } = request
    return {
      pdu: readReply(request, words),
      read: {
        site: devices.site,
        unit,
        structure: device.structure,
        fc,
        address,
        words,
        ...(distorted.length > 0 && { distorted }),
      },
    }
  } catch (error) {
    if (error instanceof ModbusException) return { pdu: exceptionReply(pdu, error.code), read: null }
    throw error
  }
}
