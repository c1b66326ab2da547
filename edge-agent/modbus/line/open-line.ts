import type { Logger } from 'pino'
import type { BusAddress } from '../bus.ts'
import type { Framing } from '../framing.ts'
import { rtuFraming } from '../rtu-framing.ts'
import { tcpFraming } from '../tcp-framing.ts'
import type { DtuListeners } from './dtu-listener.ts'
import type { Line, LineEvents } from './line.ts'
import { packetBytes } from './packet.ts'
import { SerialLine } from './serial-line.ts'
import { TcpLine } from './tcp-line.ts'

/** The way to a bus's devices, and the frames that go over it. */
export function openLine(
  settings: BusAddress,
  events: LineEvents,
  { log, listeners }: { readonly log: Logger; readonly listeners: DtuListeners },
): { line: Line; framing: Framing } {
  switch (settings.transport) {
    case 'tcp':
      return { line: TcpLine.open(settings, events, log), framing: tcpFraming() }
    case 'rtu-over-tcp':
      return { line: TcpLine.open(settings, events, log), framing: rtuFraming(noiseOf([settings.heartbeat])) }
    case 'serial':
      return { line: SerialLine.open(settings, events, log), framing: rtuFraming() }
    case 'dtu': {
      const registration = settings.registration === undefined ? null : packetBytes(settings.registration)
      return {
        line: listeners.line({ ...settings, registration }, events, log),
        framing: rtuFraming(noiseOf([settings.registration, settings.heartbeat])),
      }
    }
  }
}

const noiseOf = (packets: readonly (string | undefined)[]): Buffer[] => packets.flatMap((p) => (p === undefined ? [] : [packetBytes(p)]))
