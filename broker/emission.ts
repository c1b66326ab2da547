import mqemitter, { type MQEmitter } from 'mqemitter'

/** aedes' own figure: so many messages are on their way to subscribers at once. */
const CONCURRENCY = 100

/** What aedes puts on a message: `brokerId` and `brokerCounter` number those of one broker. */
type Numbered = { qos: number; retain: boolean; brokerId?: string; brokerCounter?: number }

/**
 * What carries messages to subscribers inside aedes. aedes numbers a message when it comes, and to a subscriber drops what has a lower number
 * than the one before: it takes it for the second copy of overlapping subscriptions. But a retained or QoS 1 message is stored first and is
 * overtaken meanwhile, so it would be lost (aedes issues 955 and 994). Here the messages are numbered in the order in which they go out, QoS 0
 * and retained ones each in a row of their own. QoS 1 that is not retained keeps its number: by it a kept session's message is found again.
 */
export function orderedEmission(): MQEmitter {
  const emitter = mqemitter({ concurrency: CONCURRENCY, matchEmptyLevels: true })
  const emit = emitter.emit.bind(emitter)
  let sent = 0
  emitter.emit = (message, done) => {
    const { qos, retain } = message as unknown as Numbered
    if (qos === 0 || retain) Object.assign(message, { brokerId: qos === 0 ? 'passing' : 'retained', brokerCounter: ++sent })
    emit(message, done)
  }
  return emitter
}
