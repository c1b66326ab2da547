import { computed, onBeforeUnmount, ref } from 'vue'

/**
 * Which panes are drawn whole, and which with thin lines and no bands: where no graphics card draws them, those are on the screen in a tenth of the
 * time (`test/bench/trend-chart.bench.ts`). A whole picture follows when the quick one has been shown, pane by pane, so that no task is long.
 */
export function useWhole(count: () => number) {
  const whole = ref(0)
  let frame: number | undefined
  const stop = (): void => {
    if (frame !== undefined) cancelAnimationFrame(frame)
    frame = undefined
  }
  const next = (): void => {
    frame = undefined
    whole.value++
    if (whole.value < count()) frame = requestAnimationFrame(next)
  }
  onBeforeUnmount(stop)
  return {
    isWhole: computed(() => whole.value >= count()),
    isQuick: (pane: number): boolean => pane >= whole.value,
    /** Something else is about to be drawn, and somebody waits for it. */
    quick(): void {
      stop()
      whole.value = 0
    },
    /** What was waited for is drawn: the frame that shows it comes first. */
    settle(): void {
      stop()
      frame = requestAnimationFrame(() => {
        frame = requestAnimationFrame(next)
      })
    },
    /** At once, for a picture that is kept. */
    finish(): void {
      stop()
      whole.value = count()
    },
  }
}
