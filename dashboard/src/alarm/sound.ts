/** A short double tone for a new alarm. A browser that allows no sound before the first click stays silent until then. */
export function beep(context: AudioContext): void {
  for (const [at, hertz] of [
    [0, 880],
    [0.22, 660],
  ] as const) {
    const tone = context.createOscillator()
    const volume = context.createGain()
    tone.frequency.value = hertz
    volume.gain.value = 0.12
    tone.connect(volume).connect(context.destination)
    tone.start(context.currentTime + at)
    tone.stop(context.currentTime + at + 0.18)
  }
}
