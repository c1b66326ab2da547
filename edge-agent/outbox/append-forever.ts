/**
 * For tests: a process that appends to an outbox, and tells on stdout what was confirmed, until it has appended `count` times or is killed.
 * Lines: `BEGIN n`, `KEPT n`, `SENT id values`. Now and then it takes a batch and deletes it, as a receipt would.
 */
import { writeSync } from 'node:fs'
import { pino } from 'pino'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { Outbox } from './outbox.ts'

const [folder = '', from = '0', count = 'Infinity'] = process.argv.slice(2)
const say = (line: string): void => {
  writeSync(1, `${line}\n`)
}

const outbox = await Outbox.open({ path: folder, max_bytes: 2 ** 28, log: pino({ level: 'silent' }) })
for (const device of ['a', 'b']) await outbox.aliases.claim(device, ['level_up'])

async function append(n: number): Promise<void> {
  say(`BEGIN ${n}`)
  await outbox.append(n % 2 ? 'a' : 'b', unixMs(Date.now()), new Map([['level_up', good(n)]]))
  say(`KEPT ${n}`)
}

for (let n = Number(from); n < Number(from) + Number(count); n += 2) {
  await (count === 'Infinity' ? Promise.all([append(n), append(n + 1)]) : append(n))
  if (n % 40 === 0) {
    const batch = (await outbox.take('backlog')) ?? (await outbox.take('present'))
    if (!batch) continue
    const values = batch.samples.map((s) => s.readings.get('level_up')).map((r) => (r?.quality === 'good' ? r.value : 'bad'))
    say(`SENT ${batch.id} ${values.join(',')}`)
    if (n % 80 === 0) await outbox.drop([batch.id])
  }
}
await outbox.close()
