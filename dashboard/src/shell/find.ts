/** Something that the person can go to by typing a part of its name. */
export type Target = { readonly key: string; readonly words: string }

/** Every word typed must be found; what begins with the text stands first, else the order stays. */
export function findTargets<T extends Target>(targets: readonly T[], text: string): T[] {
  const wanted = text.trim().toLowerCase()
  const words = wanted.split(/\s+/)
  const found = targets.filter((t) => words.every((w) => t.words.toLowerCase().includes(w)))
  const rank = (t: T): number => Number(!t.words.toLowerCase().startsWith(wanted))
  return wanted === '' ? found : found.sort((a, b) => rank(a) - rank(b))
}
