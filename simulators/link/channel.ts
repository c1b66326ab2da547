/** One direction of the radio: all connections share it, and what went in first comes out first. */

export type Packet = {
  /** On the wire, headers included. */
  readonly bytes: number
  /** Called when the packet has arrived. */
  readonly deliver: () => void
}
/** Where packets wait that the channel has not taken yet. @returns the next one, or null. */
export type Source = { take(): Packet | null }

export type ChannelSettings = {
  readonly bits_per_s: number
  readonly latency_ms: number
  readonly jitter_ms: number
  readonly buffer_bytes: number
}
export type ChannelDeps = {
  readonly now: () => number
  /** From 0 to 1, one for each packet. */
  readonly chance: () => number
}

/**
 * Takes packets from its sources in turn while its buffer has room, sends one bit after the other, and delivers each packet after its latency.
 * The times are reckoned, not measured, so that a late timer makes no slower link.
 */
export class Channel {
  #settings: ChannelSettings
  readonly #deps: ChannelDeps
  readonly #sources = new Set<Source>()
  readonly #waiting: { readonly packet: Packet; readonly since: number }[] = []
  #held_bytes = 0
  #sending: { readonly packet: Packet; readonly departs: number } | null = null
  readonly #flying: { readonly packet: Packet; readonly arrives: number }[] = []
  /** When the last bit of the packet before was out. */
  #free = Number.NEGATIVE_INFINITY
  #lastArrival = Number.NEGATIVE_INFINITY
  #stalledUntil = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(settings: ChannelSettings, deps: ChannelDeps) {
    this.#settings = settings
    this.#deps = deps
  }

  /** In the buffer, not yet sent. */
  get held_bytes(): number {
    return this.#held_bytes
  }

  /** For packets that are not being sent yet. */
  set(settings: ChannelSettings): void {
    this.#settings = settings
    this.wake()
  }

  add(source: Source): void {
    this.#sources.add(source)
    this.wake()
  }

  remove(source: Source): void {
    this.#sources.delete(source)
  }

  /** A source has something, or a setting has changed. */
  wake(): void {
    clearTimeout(this.#timer)
    const now = this.#deps.now()
    do this.#send(now)
    while (this.#fill(now))
    this.#deliver(now)
    const next = Math.min(this.#sending?.departs ?? Number.POSITIVE_INFINITY, this.#nextArrival())
    if (Number.isFinite(next)) this.#timer = setTimeout(() => this.wake(), Math.max(1, Math.ceil(next - this.#deps.now())))
  }

  /** Nothing leaves and nothing arrives for so long; what was on its way comes after. */
  stall(ms: number): void {
    const now = this.#deps.now()
    const until = Math.max(this.#stalledUntil, now + ms)
    const longer = until - Math.max(this.#stalledUntil, now)
    this.#stalledUntil = until
    if (this.#sending) this.#sending = { ...this.#sending, departs: this.#sending.departs + longer }
    this.wake()
  }

  /** Forgets all packets and sources. */
  close(): void {
    clearTimeout(this.#timer)
    this.#sources.clear()
    this.#waiting.length = 0
    this.#flying.length = 0
    this.#sending = null
    this.#held_bytes = 0
  }

  /** @returns whether there was something to take and room for it. */
  #fill(now: number): boolean {
    let taken = false
    while (this.#held_bytes < this.#settings.buffer_bytes && this.#takeNext(now)) taken = true
    return taken
  }

  #takeNext(now: number): boolean {
    for (const source of this.#sources) {
      const packet = source.take()
      if (!packet) continue
      // To the end of the line: the others come first the next time.
      this.#sources.delete(source)
      this.#sources.add(source)
      this.#waiting.push({ packet, since: now })
      this.#held_bytes += packet.bytes
      return true
    }
    return false
  }

  #send(now: number): void {
    for (;;) {
      if (!this.#sending) {
        const next = this.#waiting.shift()
        if (!next) return
        const begins = Math.max(next.since, this.#free, this.#stalledUntil)
        this.#sending = { packet: next.packet, departs: begins + (next.packet.bytes * 8000) / this.#settings.bits_per_s }
      }
      const { packet, departs } = this.#sending
      if (departs > now) return
      const { latency_ms, jitter_ms } = this.#settings
      const arrives = Math.max(this.#lastArrival, departs + latency_ms + jitter_ms * this.#deps.chance())
      this.#flying.push({ packet, arrives })
      this.#lastArrival = arrives
      this.#free = departs
      this.#held_bytes -= packet.bytes
      this.#sending = null
    }
  }

  #nextArrival(): number {
    const next = this.#flying[0]
    return next ? Math.max(next.arrives, this.#stalledUntil) : Number.POSITIVE_INFINITY
  }

  #deliver(now: number): void {
    while (this.#nextArrival() <= now) this.#flying.shift()?.packet.deliver()
  }
}
