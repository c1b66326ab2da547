import type { Logger } from 'pino'
import { instantOf } from '#api/analysis/csv.ts'
import { calibrateStructure } from '#api/analysis/flow.ts'
import { Fault } from '#contract/fault.ts'
import { flowMethodAt } from '#contract/flow-method.ts'
import type { CalibrationReply } from '#contract/http/analysis.ts'
import { HETAO_CALENDAR } from '#contract/periods.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import { openHistory } from '#history/open.ts'
import { openRegistry } from '#registry/open.ts'
import { folders } from './folders.ts'
import type { ServiceSettings } from './settings.ts'

export type CalibrateOptions = { readonly gate: string; readonly from: string; readonly to: string; readonly setFrom?: string }

/** Prints how a structure's factor fits its gaugings; with `setFrom` it is also put in force from that date. */
export async function runCalibrate(
  settings: { readonly history: Pick<ServiceSettings['history'], 'url'>; readonly registry: Pick<ServiceSettings['registry'], 'url'> },
  options: CalibrateOptions,
  log: Logger,
): Promise<string> {
  const span = { from: instantIn('--from', options.from), to: instantIn('--to', options.to) }
  const setFrom = options.setFrom === undefined ? undefined : instantIn('--set-from', options.setFrom)
  const registry = await openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })
  try {
    const history = await openHistory(settings.history.url, { log })
    try {
      const structure = await registry.district.structure(options.gate)
      if (!structure) throw new Fault('NOT_FOUND', `there is no gate ${options.gate}`, 'name one that is registered')
      const reply = await calibrateStructure({ history, registry }, structure, span)
      if (setFrom === undefined || !reply.fit) return calibrationText(reply)
      const { factor, uncertainty } = reply.fit
      const { formula, sill_m } = flowMethodAt(await registry.flowMethods.of(structure.id), structure.id, span.to - 1)
      const note = `${reply.fit.n} gaugings, ${options.from} to ${options.to}`
      const method = { structure: structure.id, from: setFrom, formula, factor, uncertainty, source: 'calibrated' as const, note }
      const [by, at] = ['sluice calibrate', unixMs(Date.now())]
      await registry.flowMethods.set(sill_m === undefined ? method : { ...method, sill_m }, { by, at })
      await registry.audit.append({ at, who: by, action: 'flow_method.set', subject: structure.id, details: { method } })
      return `${calibrationText(reply)}in force from ${new Date(setFrom).toISOString()}\n`
    } finally {
      await history.close()
    }
  } finally {
    await registry.close()
  }
}

function instantIn(option: string, text: string): UnixMs {
  const t = instantOf(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text} 08:00` : text, HETAO_CALENDAR.utc_offset_min)
  if (t !== undefined) return unixMs(t)
  throw new Fault('BAD_REQUEST', `${option} ${text} is no date`, 'write 2026-07-01 (08:00 of that day) or 2026-07-01 14:30')
}

export function calibrationText({ gate, gaugings, fit, refused }: CalibrationReply): string {
  const number = (n: number | null): string => (n === null ? '–' : n.toFixed(3)).padStart(10)
  const rows = gaugings.map((g) => {
    const residual = g.residual_share === null ? '–' : `${(100 * g.residual_share).toFixed(1)} %`
    const tail = g.excluded === null ? '' : `  left out: ${g.excluded}`
    return `${new Date(g.t).toISOString()}${number(g.measured_m3s)}${number(g.computed_m3s)}${number(g.fitted_m3s)}${residual.padStart(10)}${tail}`
  })
  const head = `${'gauged at (UTC)'.padEnd(24)}${['measured', 'computed', 'fitted', 'residual'].map((c) => c.padStart(10)).join('')}`
  const result = fit
    ? `${gate}: factor ${fit.factor.toFixed(4)} ± ${(100 * fit.uncertainty).toFixed(1)} % (95 %) from ${fit.n} gaugings, scatter ${(100 * fit.relative_scatter).toFixed(1)} %`
    : `${gate}: no fit: ${refused}`
  return `${[head, ...rows, result].join('\n')}\n`
}
