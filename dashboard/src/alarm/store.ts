import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Alarm, AlarmMessage, Priority } from '#contract/alarm.ts'
import type { Shelve } from '#contract/http/alarm.ts'
import { useClient } from '../http/provided.ts'
import { useGates } from '../live/gates.ts'
import { countByPriority, inOrder, isUnacknowledged, type Shown, worstOfEachGate } from './order.ts'

const TEN_MINUTES_MS = 600_000
/** More in ten minutes is more than one operator can take in (ISA-18.2). */
const FLOOD = 10

/** The alarms that the person may see, as the server tells them live. */
export const useAlarms = defineStore('alarms', () => {
  const client = useClient()
  const gates = useGates()
  const known = shallowRef<ReadonlyMap<string, Alarm>>(new Map())
  /** As they stood at the past moment that is shown; null shows the present. */
  const then = shallowRef<readonly Alarm[] | null>(null)
  const failure = ref('')
  const muted = ref(false)

  // Shelves end by the clock: a look each ten seconds does.
  const lookedAt = computed(() => Math.floor(gates.now / 10_000) * 10_000)
  const shown = computed((): readonly Shown[] => inOrder(then.value ?? known.value.values(), lookedAt.value))
  const worstByGate = computed(() => worstOfEachGate(shown.value))
  const unacknowledged = computed(() => shown.value.filter(isUnacknowledged))
  /** Of the present also while the past is shown: nobody looks away from an alarm. */
  const present = computed((): readonly Shown[] => (then.value === null ? shown.value : inOrder(known.value.values(), gates.serverNow())))
  const counts = computed((): Record<Priority, number> => countByPriority(present.value))
  const newest = computed(() =>
    present.value
      .filter(isUnacknowledged)
      .reduce<Shown | undefined>((a, b) => (a && (a.alarm.raised_at ?? 0) >= (b.alarm.raised_at ?? 0) ? a : b), undefined),
  )
  const lately = computed(() => {
    const from = (then.value === null ? lookedAt.value : gates.serverNow()) - TEN_MINUTES_MS
    return present.value.filter((s) => (s.alarm.raised_at ?? 0) > from && s.state !== 'suppressed').length
  })
  const flood = computed(() => (lately.value > FLOOD ? lately.value : 0))

  /** Since when nothing can come from the gates, ms; null while the broker is there. */
  const brokerAwaySince = computed(
    () => present.value.find((s) => s.alarm.kind === 'broker_lost' && s.alarm.active)?.alarm.raised_at ?? null,
  )

  function take({ full, alarms }: AlarmMessage): void {
    const next = full ? new Map<string, Alarm>() : new Map(known.value)
    for (const alarm of alarms) if (full || alarm.rev >= (next.get(alarm.id)?.rev ?? 0)) next.set(alarm.id, alarm)
    known.value = next
  }

  async function doing(deed: () => Promise<unknown>): Promise<boolean> {
    try {
      await deed()
      failure.value = ''
      return true
    } catch (error) {
      failure.value = error instanceof Error ? error.message : String(error)
      return false
    }
  }

  return {
    shown,
    unacknowledged,
    worstByGate,
    counts,
    newest,
    flood,
    brokerAwaySince,
    failure,
    muted,
    take,
    showPast(alarms: readonly Alarm[] | null): void {
      then.value = alarms
    },
    of: (gate: string): readonly Shown[] => shown.value.filter((s) => s.alarm.gate === gate),
    acknowledge: (ids: readonly string[]) => doing(() => client.alarms.acknowledge(ids)),
    shelve: (id: string, how: Shelve) => doing(() => client.alarms.shelve(id, how)),
    unshelve: (id: string) => doing(() => client.alarms.unshelve(id)),
    comment: (id: string, note: string) => doing(() => client.alarms.comment(id, note)),
    clear(): void {
      known.value = new Map()
      then.value = null
      failure.value = ''
    },
  }
})
