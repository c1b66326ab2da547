/**
 * MQTT 5 topic aliases of one connection [MQTT 5.0 §3.3.2.3.4]: the first publication to a topic says its number, later ones the number alone.
 * Topics beyond what the broker takes go out whole: taking a number away again would cost more than it saves.
 */
export class TopicAliases {
  readonly #most: number
  readonly #known = new Set<string>()

  /** @param most that the broker takes, by its CONNACK; 0 for none. */
  constructor(most: number) {
    this.#most = most
  }

  /** @returns the number to say with this publication, or null: it has been said, or there is none. */
  toSay(topic: string): number | null {
    if (this.#known.has(topic) || this.#known.size >= this.#most) return null
    this.#known.add(topic)
    return this.#known.size
  }
}
