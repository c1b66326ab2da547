/** Agent, broker, ingest, API and registry are killed at each step of a command's way: every step, every victim. SLUICE_SOAK_ROUNDS repeats it, SLUICE_SOAK_VICTIMS (agent,broker,…) chooses. */
import { expect, test } from 'vitest'
import { verifyChain } from '#registry/audit.ts'
import { type Outcome, STEPS, startKillPlant, VICTIMS } from '../support/command-kills.ts'

const ROUNDS = Number(process.env['SLUICE_SOAK_ROUNDS'] ?? 1)
const VICTIMS_CHOSEN = VICTIMS.filter((v) => (process.env['SLUICE_SOAK_VICTIMS'] ?? v).split(',').includes(v))

test('whoever is killed at whatever step, the leaf stands where the log says, and nothing is done twice', async () => {
  const plant = await startKillPlant()
  const outcomes: Outcome[] = []
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const victim of VICTIMS_CHOSEN) {
        for (const step of STEPS) {
          const outcome = await plant.run(victim, step)
          outcomes.push(outcome)
          const { state, reason, orders, share, wrong } = outcome
          process.stdout.write(
            `${victim} killed at “${step}”: ${state}${reason ? ` (${reason})` : ''}, ${orders} orders, ${Math.round(share * 100)} % of the way${wrong.length > 0 ? ` WRONG: ${wrong.join('; ')}` : ''}\n`,
          )
        }
      }
    }
    expect(outcomes.filter((o) => o.wrong.length > 0)).toEqual([])
    expect(outcomes).toHaveLength(ROUNDS * VICTIMS_CHOSEN.length * STEPS.length)
    expect(await verifyChain(plant.registry.audit)).toMatchObject({ kind: 'whole' })
  } finally {
    await plant.close()
  }
})
