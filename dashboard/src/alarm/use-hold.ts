import { onBeforeUnmount, type Ref, ref } from 'vue'

/** After the last movement; then the hand is taken to have gone, and nothing that comes stays unseen. */
const HELD_MS = 10_000

/** Whether a hand is at work at something, so that it stands still under it. */
export function useHold(): { readonly isHeld: Ref<boolean>; hold(): void; release(): void } {
  const isHeld = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  const release = (): void => {
    clearTimeout(timer)
    isHeld.value = false
  }
  onBeforeUnmount(release)
  return {
    isHeld,
    release,
    hold(): void {
      clearTimeout(timer)
      timer = setTimeout(release, HELD_MS)
      isHeld.value = true
    },
  }
}
