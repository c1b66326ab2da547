// So many gate controllers (edge-agent/profiles/sluice-gate-rtu.yaml), each with a port of its own, in one process that costs as little as one can.
// Any unit, FC 3; levels and flow swing faster than any water, so that there is much to report. Prints its ports as JSON; each line on standard input
// is answered with how late the polls came since the one before.
import { createServer } from 'node:net'
import { repliesTo } from './modbus-replies.mjs'

const [count, gridMs] = process.argv.slice(2).map(Number)
/** Requests of one poll follow each other faster, and two polls never. */
const PAUSE_MS = 0.3 * gridMs
let late = []

const REGISTERS = Buffer.alloc(400)
const [BATTERY, RSSI, MODE, OPENINGS] = [6, 7, 9, [100, 120, 140, 160]]
REGISTERS.writeUInt16BE(1263, 2 * BATTERY)
REGISTERS.writeInt16BE(-75, 2 * RSSI)
REGISTERS.writeUInt16BE(1, 2 * MODE)
for (const address of OPENINGS) REGISTERS.writeUInt16BE(600, 2 * address)
function swing(now) {
  const turn = Math.sin(now / 5000)
  REGISTERS.writeFloatBE(1.8 + 0.1 * turn, 0)
  REGISTERS.writeFloatBE(1.3 + 0.1 * turn, 4)
  REGISTERS.writeFloatBE(3 + 0.5 * turn, 8)
}

function serve(socket) {
  let last = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes) => {
    const now = Date.now()
    if (now - last > PAUSE_MS) late.push(now % gridMs)
    last = now
    swing(now)
    socket.write(repliesTo(bytes, (reply, { offset, address, words }) => REGISTERS.copy(reply, offset, 2 * address, 2 * (address + words))))
  })
}

const ports = []
for (let i = 0; i < count; i++) {
  const server = createServer({ noDelay: true }, serve)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  ports.push(server.address().port)
}
process.stdout.write(`${JSON.stringify(ports)}\n`)
process.stdin.on('data', () => {
  const sorted = late.sort((a, b) => a - b)
  late = []
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null
  process.stdout.write(`${JSON.stringify({ polls: sorted.length, median_ms: at(0.5), p99_ms: at(0.99), most_ms: at(1) })}\n`)
})
process.stdin.on('end', () => process.exit(0))
