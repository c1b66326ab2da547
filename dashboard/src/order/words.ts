import type { OrderReadings, OrderTarget, OrderView } from '#contract/http/order.ts'
import { fixed } from '../display/number.ts'
import { useText } from '../i18n/i18n.ts'
import { useGates } from '../live/gates.ts'

/** What an order says, in the person's language. */
export function useOrderWords() {
  const { say, nameOf } = useText()
  const gates = useGates()
  return {
    /** 〔2026〕12号, as districts number their papers. */
    number: ({ year, number }: Pick<OrderView, 'year' | 'number'>): string => say('order.number', { year, number }),
    gate: (id: string): string => {
      const found = gates.signals.find((s) => s.gate.id === id)
      return found ? nameOf(found.gate.name) : id
    },
    target: (target: OrderTarget): string => {
      switch (target.kind) {
        case 'flow':
          return say('order.targetFlow', { value: fixed(target.flow_m3s, 2) })
        case 'level':
          return say('order.targetLevel', { value: fixed(target.level_up_m, 3) })
        case 'opening':
          return say('order.targetOpening', { value: fixed(target.opening_m, 3) })
      }
    },
    readings: (r: OrderReadings | null): string => {
      if (!r) return '—'
      const parts = [
        r.flow_m3s === null ? '' : `${fixed(r.flow_m3s, 2)} m³/s`,
        r.level_up_m === null ? '' : `${say('order.up')} ${fixed(r.level_up_m, 3)} m`,
        r.level_down_m === null ? '' : `${say('order.down')} ${fixed(r.level_down_m, 3)} m`,
        r.openings_m.every((o) => o === null)
          ? ''
          : `${say('order.openings')} ${r.openings_m.map((o) => (o === null ? '—' : fixed(o, 3))).join(' / ')} m`,
      ]
      return parts.filter((p) => p !== '').join(' · ') || '—'
    },
  }
}
