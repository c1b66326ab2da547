import { computed } from 'vue'
import { ALARM_KIND_NAMES, ALARM_KINDS, type Alarm } from '#contract/alarm.ts'
import { useText } from '../i18n/i18n.ts'
import { useGates } from '../live/gates.ts'

/** What an alarm is and where, in the person's language. */
export function useAlarmNames() {
  const { say, nameOf } = useText()
  const gates = useGates()
  // A storm asks for thousands at once.
  const gateNames = computed(() => new Map(gates.signals.map((s) => [s.gate.id, nameOf(s.gate.name)])))
  const gateName = (id: string): string => gateNames.value.get(id) ?? id
  const targetOf = (target: string): string => (target === 'center' ? say('alarm.center') : gateName(target))
  return {
    /** `<kind>:<gate or site>` in words. */
    ofId: (id: string): string => {
      const [name = '', target = ''] = id.split(':')
      const kind = ALARM_KIND_NAMES.find((k) => k === name)
      return `${targetOf(target)} ${kind ? nameOf(ALARM_KINDS[kind].label) : name}`
    },
    what: ({ kind }: Pick<Alarm, 'kind'>): string => nameOf(ALARM_KINDS[kind].label),
    where: ({ gate, site }: Pick<Alarm, 'gate' | 'site'>): string => (gate !== null ? gateName(gate) : (site ?? say('alarm.center'))),
    areaName: (id: string | null): string => {
      const area = gates.areas.find((a) => a.id === id)
      return area ? nameOf(area.name) : (id ?? say('alarm.center'))
    },
    valueText: ({ kind, value, limit }: Pick<Alarm, 'kind' | 'value' | 'limit'>): string => {
      if (value === null) return ''
      const { unit } = ALARM_KINDS[kind]
      const reading = `${value.toFixed(2)} ${unit}`
      return limit === null || unit === '' ? reading : `${reading} (${say('alarm.limit', { n: limit.toFixed(2) })})`
    },
  }
}
